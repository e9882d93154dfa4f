// The installed program with one plain listener on loopback, for tests of how it ends and what it knows afterwards.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const ENTRY = fileURLToPath(new URL('../../packages/motte/bin/motte.js', import.meta.url));

export interface ProgramOptions {
  /** Of `motte.yaml`, in flow style. */
  readonly limits?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The largest file the process may write, in KiB. */
  readonly fileKib?: number;
}

export class Program {
  readonly data: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'motte-ends-'));
  #child: ChildProcess | undefined = undefined;
  #exited: Promise<number | string> = Promise.resolve('not started');
  out = '';
  err = '';

  constructor() {
    this.data = join(this.#folder, 'data');
    mkdirSync(this.data, { mode: 0o700 });
    onTestFinished(async () => {
      this.signal('SIGKILL');
      await this.#exited;
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** Starts it, or starts it again on what is there; gives the port of its listener. */
  async start({ limits = '{}', env = {}, fileKib }: ProgramOptions = {}): Promise<number> {
    writeFileSync(join(this.data, 'motte.yaml'), `${YAML}limits: ${limits}\n`);
    this.out = '';
    this.err = '';
    const command = [process.execPath, ENTRY, 'start', '--data', this.data];
    // What is ignored stays ignored in what is executed: the write fails, and the process goes on.
    const limited = ['bash', '-c', `trap '' XFSZ; ulimit -f ${fileKib}; exec "$@"`, 'bash', ...command];
    const [file = '', ...args] = fileKib === undefined ? command : limited;
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? '')));
    child.stdout.on('data', (chunk: Buffer) => (this.out += chunk));
    child.stderr.on('data', (chunk: Buffer) => (this.err += chunk));
    const ended = this.#exited.then((how) => {
      throw new Error(`it ended with ${how}: ${this.err}`);
    });
    ended.catch(() => undefined);
    await Promise.race([ended, this.says('"msg":"up"')]);
    return Number(/"listener.opened".*?127\.0\.0\.1:([0-9]+)/.exec(this.out)?.[1]);
  }

  /** Resolves once its log has this in it. */
  async says(text: string): Promise<void> {
    while (!this.out.includes(text)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Exit code, or the signal that ended it. */
  get exited(): Promise<number | string> {
    return this.#exited;
  }

  /** Lines of its log with this event. */
  events(name: string): Record<string, unknown>[] {
    const lines = this.out.split('\n').filter((line) => line.includes(`"event":"${name}"`));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

const YAML = `listeners:
  - { name: plain, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, clientIds: any, waiver: "test on loopback" }
console: off
log: { level: info, shape: json }
`;
