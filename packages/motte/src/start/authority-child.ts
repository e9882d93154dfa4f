// The authority as a child process: started, waited for, started again if it dies. It ends when its standard input
// closes, so it never outlives this process, however this one goes.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MotteError } from '@motte/admin/errors';
import type { Log } from '@motte/broker/observe';
import type { ReadyLine } from '@motte/pki';
import { AUTHORITY_FAULTS, AuthorityFault, isAuthorityFaultCode } from '@motte/pki/protocol';

export interface AuthorityChild {
  readonly ready: ReadyLine;
  /** False between its death and its next start. */
  readonly alive: boolean;
  /** Closes its input and waits for it to end. */
  close(): Promise<void>;
}

/** Starts it; throws MOT-0401 with what it said if it does not get ready. */
export async function startAuthorityChild(data: string, log: Log): Promise<AuthorityChild> {
  let ending = false;
  let backoffMs = BACKOFF_LEAST_MS;
  let retry: NodeJS.Timeout | undefined;
  let current: Running | undefined = await launch(data, log);
  const { ready } = current;

  const watch = (running: Running): void => {
    void running.exited.then((how) => {
      if (current === running) current = undefined;
      if (ending) return;
      log.say('error', 'the authority ended and is started again', { how, inMs: backoffMs });
      retry = setTimeout(again, backoffMs);
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MOST_MS);
    });
  };
  const again = (): void => {
    launch(data, log).then(
      (running) => {
        current = running;
        backoffMs = BACKOFF_LEAST_MS;
        watch(running);
        if (ending) running.end();
      },
      (fault: Error) => {
        log.say('error', 'the authority did not start again', { why: fault.message });
        if (!ending) retry = setTimeout(again, backoffMs);
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MOST_MS);
      },
    );
  };
  watch(current);
  return {
    ready,
    get alive() {
      return current !== undefined;
    },
    async close() {
      ending = true;
      clearTimeout(retry);
      const running = current;
      if (running === undefined) return;
      running.end();
      await running.exited;
    },
  };
}

interface Running {
  readonly ready: ReadyLine;
  readonly exited: Promise<string>;
  end(): void;
}

function launch(data: string, log: Log): Promise<Running> {
  // Whoever sits here may be asked for the passphrase of the keys: by the child, on the terminal itself.
  const isAttended = process.stdin.isTTY === true;
  const args = [ENTRY, 'authority', '--data', data, ...(isAttended ? ['--terminal'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const said: string[] = [];
  let isReady = false;
  child.stdin.on('error', () => {});
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (isReady) log.say('warn', line);
    else if (said.length < SAID_LINES_MAX) said.push(line);
  });
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
    child.once('error', (fault) => resolve(fault.message));
  });
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      reject(faultOf(why));
    };
    const deadlineMs = isAttended ? ATTENDED_DEADLINE_MS : READY_DEADLINE_MS;
    const deadline = setTimeout(() => fail(`it did not get ready within ${deadlineMs / 1000} s`), deadlineMs);
    void exited.then((how) => {
      clearTimeout(deadline);
      // Its own line, number included, says more than ours could.
      if (!isReady) fail(said[0]?.replace(/^motte: /, '') ?? `it ended with ${how}`);
    });
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(deadline);
      const ready = parseReady(line);
      if (ready === undefined) return fail('it did not say that it is ready');
      isReady = true;
      resolve({ ready, exited, end: () => end(child) });
    });
  });
}

/** What the child said with a number of its own is thrown under that number: one line, one number, the right advice. */
function faultOf(line: string): Error {
  const [, what, why = '', code] = /^([^:]+): (.*) \((MOT-[0-9]{4})\)$/.exec(line) ?? [];
  const isOwn = isAuthorityFaultCode(code) && what === AUTHORITY_FAULTS[code].what;
  if (isOwn) return new AuthorityFault(code, why);
  return new MotteError('MOT-0401', line);
}

function end(child: ChildProcess): void {
  child.stdin?.end();
  setTimeout(() => child.kill('SIGKILL'), END_DEADLINE_MS).unref();
}

function parseReady(line: string): ReadyLine | undefined {
  try {
    const document = JSON.parse(line) as Partial<ReadyLine>;
    return document.ready === true && document.format === 1 ? (document as ReadyLine) : undefined;
  } catch {
    return undefined;
  }
}

const ENTRY = fileURLToPath(new URL('../../bin/motte.js', import.meta.url));
const READY_DEADLINE_MS = 30_000;
/** People look passphrases up. */
const ATTENDED_DEADLINE_MS = 300_000;
const END_DEADLINE_MS = 5_000;
const SAID_LINES_MAX = 20;
const BACKOFF_LEAST_MS = 1_000;
const BACKOFF_MOST_MS = 60_000;
