// `motte authority --data DIR`: the authority as a child process. One line of JSON on standard output says it is ready;
// it ends when standard input closes (its parent is gone, however it went) or on SIGTERM.

import { parseArgs } from 'node:util';
import { AuthorityFault } from '../protocol/faults.ts';
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

const EXIT = { done: 0, usage: 2 } as const;

/** Runs until told to end; resolves with the exit code. Never throws: what stops it is said on standard error. */
export async function runAuthorityProcess(argv: readonly string[]): Promise<number> {
  const data = parseData(argv);
  if (data === undefined) {
    say('motte: wrong usage: motte authority --data DIR (MOT-0002)');
    return EXIT.usage;
  }
  process.umask(0o077);
  // An interrupt at the terminal reaches the whole process group; the parent drains first and then closes our input.
  process.on('SIGINT', () => undefined);
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const told = toldToEnd();
  try {
    const onFailure = (fault: unknown) =>
      say(`motte authority: ${fault instanceof Error ? fault.message : String(fault)}`);
    const authority = await startAuthority({ data, onFailure });
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
    await told;
    await authority.close();
    return EXIT.done;
  } catch (fault) {
    const known = fault instanceof AuthorityFault ? fault : new AuthorityFault('MOT-0435', String(fault));
    say(`motte: ${known.message} (${known.code})`);
    say(known.remedy);
    return known.exit;
  } finally {
    process.stdin.destroy();
  }
}

function parseData(argv: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...argv], options: { data: { type: 'string' } } }).values.data;
  } catch {
    return undefined;
  }
}

function toldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.stdin.once('end', () => resolve());
    process.stdin.once('close', () => resolve());
    process.stdin.once('error', () => resolve());
    process.stdin.resume();
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
