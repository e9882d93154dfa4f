// `motte authority`: the authority as a process. One line of JSON on standard output says it is ready. A child of the broker
// ends when standard input closes (its parent is gone, however it went) or on SIGTERM; a service by a signal.

import { AuthorityFault } from '../protocol/faults.ts';
import type { AskPassphrase } from './asking.ts';
import { startAuthority } from './start.ts';

/** What the parent reads first from the child's standard output. */
export interface ReadyLine {
  readonly ready: true;
  readonly format: 1;
  readonly pid: number;
  readonly authoritySocket: string;
  readonly brokerSocket: string;
  readonly fingerprint: string;
  readonly created: boolean;
}

export interface AuthorityProcessOptions {
  readonly data: string;
  /** Given: it is a service of its own, ended by signals alone, with its sockets there. */
  readonly sockets?: string;
  /** Asks a person for the passphrase of the keys. */
  readonly ask?: AskPassphrase;
  /** Told when both sockets are open, and when it was told to end. */
  readonly onReady?: () => void;
  readonly onEnding?: () => void;
}

/** Runs until told to end; resolves with the exit code. Never throws: what stops it is said on standard error. */
export async function runAuthorityProcess(options: AuthorityProcessOptions): Promise<number> {
  const { data, sockets, ask } = options;
  process.umask(0o077);
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const told = sockets === undefined ? parentEnds() : signalled(['SIGTERM', 'SIGINT']);
  try {
    const onFailure = (fault: unknown) =>
      say(`motte authority: ${fault instanceof Error ? fault.message : String(fault)}`);
    const authority = await startAuthority({
      data,
      ...(sockets === undefined ? {} : { sockets }),
      ...(ask === undefined ? {} : { ask }),
      onFailure,
    });
    const { authoritySocket, brokerSocket, fingerprint, created } = authority;
    const ready: ReadyLine = {
      ready: true,
      format: 1,
      pid: process.pid,
      authoritySocket,
      brokerSocket,
      fingerprint,
      created,
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    options.onReady?.();
    await told;
    options.onEnding?.();
    await authority.close();
    return 0;
  } catch (fault) {
    const known = fault instanceof AuthorityFault ? fault : new AuthorityFault('MOT-0435', String(fault));
    say(`motte: ${known.message} (${known.code})`);
    say(known.remedy);
    return known.exit;
  } finally {
    process.stdin.destroy();
  }
}

async function parentEnds(): Promise<void> {
  // An interrupt at the terminal reaches the whole process group; the parent drains first and then closes our input.
  process.on('SIGINT', () => undefined);
  process.stdin.resume();
  const closed = ['end', 'close', 'error'].map((event) => new Promise((resolve) => process.stdin.once(event, resolve)));
  await Promise.race([signalled(['SIGTERM']), ...closed]);
}

function signalled(signals: readonly NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve());
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
