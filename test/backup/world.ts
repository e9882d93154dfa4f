// A folder with brokers in it as real processes, the devices that talk to them, and the commands that people type.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { type ClientOptions, connectClient, type IncomingMessage, type MqttClient, tlsTransport } from '@motte/client';
import { type Finished, motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { makeAgeKeys } from '../../packages/pki/src/testing/age-keys.ts';

const YAML =
  'listeners:\n  - { name: devices, url: "mqtts://127.0.0.1:0" }\nconsole: off\nlimits: { queueMessagesMax: 100000 }\n';

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'motte-backup-'));
  readonly #brokers = new Map<string, { readonly started: Started; readonly port: number }>();
  recipient = '';

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** The pair that backups of these tests are for: `recipient`, and `key` as age-keygen writes it. */
  async makeKeys(): Promise<void> {
    const { identity, recipient } = await makeAgeKeys();
    this.recipient = recipient;
    writeFileSync(this.path('key'), `# created: today\n# public key: ${this.recipient}\n${identity}\n`);
    writeFileSync(this.path('other'), `${(await makeAgeKeys()).identity}\n`);
    writeFileSync(this.path('passphrase'), 'several words that nobody guesses\n');
  }

  /** Starts the broker of a data directory, which gets a motte.yaml if it is new. */
  async start(data: string, { fresh = false, yaml = '' } = {}): Promise<void> {
    if (fresh) {
      mkdirSync(this.path(data));
      writeFileSync(this.path(data, 'motte.yaml'), YAML + yaml);
    }
    const started = await startBroker(this.path(data));
    const { listeners } = await openAdmin(this.path(data)).status();
    this.#brokers.set(data, { started, port: Number(/:([0-9]+)$/.exec(listeners[0]?.url ?? '')?.[1]) });
  }

  async stop(data: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const broker = this.#brokers.get(data);
    this.#brokers.delete(data);
    broker?.started.child.kill(signal);
    await broker?.started.exited;
  }

  async end(): Promise<void> {
    for (const data of [...this.#brokers.keys()]) await this.stop(data, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A command on a data directory, to its end. */
  run(data: string, ...args: string[]): Promise<Finished> {
    return motte([...args, '--data', this.path(data)], this.folder);
  }

  async mustRun(data: string, ...args: string[]): Promise<string> {
    const { exit, out, err } = await this.run(data, ...args);
    if (exit !== 0) throw new Error(`motte ${args.join(' ')} ended with ${exit}: ${err}`);
    return out;
  }

  /** Where the broker of a data directory listens. */
  port(data: string): number {
    return this.#brokers.get(data)?.port ?? 0;
  }

  /** What a device of the folder shows and trusts, PEM. */
  pairOf(name: string): { readonly ca: string; readonly cert: string; readonly key: string } {
    const read = (file: string): string => readFileSync(this.path(name, file), 'utf8');
    return { ca: read('ca.crt'), cert: read(`${name}.crt`), key: read(`${name}.key`) };
  }

  /** A device of the folder connects to the broker of a data directory; its session stays for an hour. */
  connect(data: string, name: string, options: Partial<ClientOptions> = {}): Promise<MqttClient> {
    return connectClient({
      transport: tlsTransport({ host: '127.0.0.1', port: this.port(data), ...this.pairOf(name) }),
      clientId: name,
      cleanStart: false,
      properties: { sessionExpiryInterval: 3_600 },
      ...options,
    });
  }
}

/** What arrives, and a way to wait until so many have. */
export class Inbox {
  readonly messages: IncomingMessage[] = [];
  readonly #waiting: { readonly count: number; readonly done: () => void }[] = [];
  readonly take = (message: IncomingMessage): void => {
    this.messages.push(message);
    for (const { count, done } of this.#waiting) if (this.messages.length >= count) done();
  };

  async until(count: number): Promise<void> {
    if (this.messages.length < count) await new Promise<void>((done) => this.#waiting.push({ count, done }));
  }

  texts(topic: string): string[] {
    return this.messages.filter((one) => one.topic === topic).map(({ payload }) => Buffer.from(payload).toString());
  }
}

/** Bytes of a program's standard output, given some on its input. */
export function pipe(program: string, args: readonly string[], input: Uint8Array): Buffer {
  return execFileSync(program, args, { input, stdio: ['pipe', 'pipe', 'ignore'], maxBuffer: 64 * 1024 * 1024 });
}
