// The authority as a real child process, built from the sources as they stand.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ReadyLine } from '../authority/process.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const entry = new URL('../../dist/index.js', import.meta.url).href;
const program = `import(${JSON.stringify(entry)}).then((pki) => pki.runAuthorityProcess(JSON.parse(process.argv[1]))).then((code) => process.exit(code))`;

export interface AuthorityChild {
  readonly process: ChildProcess;
  /** Undefined if it ended before it was ready. */
  readonly ready: ReadyLine | undefined;
  /** What it said on standard error so far. */
  readonly said: () => string;
  /** Its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Brings dist up to date; once per test file, before the first child. */
export async function buildPki(): Promise<void> {
  await promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'packages/pki'], { cwd: root });
}

export async function spawnAuthority(options: {
  readonly data: string;
  readonly sockets?: string;
}): Promise<AuthorityChild> {
  const child = spawn(process.execPath, ['-e', program, '--', JSON.stringify(options)], { stdio: 'pipe' });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const line = once(createInterface(child.stdout), 'line').then(([text]) => JSON.parse(text as string) as ReadyLine);
  return { process: child, ready: await Promise.race([line, ended.then(() => undefined)]), said: () => said, ended };
}
