// Runs the built program for tests: to its end, or as a broker in the background.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../bin/motte.js', import.meta.url));

export interface Finished {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `motte ...args` to its end. */
export function motte(args: readonly string[], cwd?: string): Promise<Finished> {
  return beginMotte(args, cwd).finished;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What it wrote to standard error so far. */
  err(): string;
}

/** Begins `motte ...args`; the test ends it, or waits. */
export function beginMotte(args: readonly string[], cwd?: string): Running {
  const child = launch(args, cwd);
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, err, finished: closed.then((exit) => ({ exit, out: out(), err: err() })) };
}

export interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<number | string>;
  /** What it wrote so far. */
  out(): string;
  err(): string;
}

/** `motte start`, resolved once the greeting is there; rejects with what it said if it ends before. */
export async function startBroker(
  data: string,
  args: readonly string[] = [],
  further: NodeJS.ProcessEnv = {},
): Promise<Started> {
  const child = launch(['start', '--data', data, ...args], undefined, further);
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? ''));
  });
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', () => {
      if (err().includes('every listener accepts')) resolve();
    });
    void exited.then((how) => reject(new Error(`ended with ${how}: ${err()}`)));
  });
  return { child, exited, out, err };
}

function launch(args: readonly string[], cwd?: string, further: NodeJS.ProcessEnv = {}): ChildProcess {
  if (!existsSync(new URL('../../dist/main.js', import.meta.url))) throw new Error('build first: npm run build');
  const { MOTTE_DATA: _, ...env } = process.env;
  const options = { env: { ...env, ...further }, ...(cwd ? { cwd } : {}) };
  return spawn(process.execPath, [ENTRY, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}
