// Mosquitto's command line clients, run as their manual pages say: one that runs to its end, or one that stays subscribed.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Version } from '../counterparts.ts';

export interface Finished {
  readonly exit: number | null;
  readonly out: Buffer;
  readonly err: string;
}

/** What `%j` makes of a message. */
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: number;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export const VERSION_NAMES: Readonly<Record<Version, string>> = {
  '3.1': 'mqttv31',
  '3.1.1': 'mqttv311',
  '5.0': 'mqttv5',
};

/** `mosquitto_pub`, `mosquitto_sub` or `mosquitto_rr`, to its end. */
export function run(program: string, args: readonly string[], input = ''): Promise<Finished> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: DEADLINE_MS });
  const out: Buffer[] = [];
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  // One that was refused does not read it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve({ exit, out: Buffer.concat(out), err }));
  });
}

/** A mosquitto_sub that stays: what it reports and the messages it was sent, line by line. */
export class Subscriber {
  readonly #kill: () => void;
  readonly #messages: Message[] = [];
  readonly #lines: string[] = [];
  #changed: () => void = () => undefined;

  private constructor(args: readonly string[]) {
    // It writes to a pipe in blocks; what it reports is wanted when it happens.
    const child = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...args, '-d', '-F', `${MARK}%j`]);
    this.#kill = () => void child.kill('SIGKILL');
    child.stderr.on('data', (chunk: Buffer) => this.#lines.push(chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith(MARK)) this.#messages.push(JSON.parse(line.slice(MARK.length)) as Message);
      else this.#lines.push(line);
      this.#changed();
    });
  }

  /** Resolves once it is subscribed. */
  static async start(args: readonly string[]): Promise<Subscriber> {
    const subscriber = new Subscriber(args);
    await subscriber.#until(() => subscriber.#lines.find((line) => line.startsWith('Subscribed')), 'a subscription');
    return subscriber;
  }

  /** The next message, in the order of arrival. */
  next(): Promise<Message> {
    return this.#until(() => this.#messages.shift(), 'a message');
  }

  /** Messages that came and were not taken. */
  get waiting(): number {
    return this.#messages.length;
  }

  /** As a power cut would: no DISCONNECT. */
  kill(): void {
    this.#kill();
  }

  #until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        reject(new Error(`mosquitto_sub: ${what} did not come. It said: ${this.#lines.join('\n')}`));
      }, DEADLINE_MS);
      this.#changed = () => {
        const found = look();
        if (found === undefined) return;
        this.#changed = () => undefined;
        clearTimeout(deadline);
        resolve(found);
      };
      this.#changed();
    });
  }
}

const MARK = 'MESSAGE ';
const DEADLINE_MS = 15_000;
