// The built program on a data directory of its own, as the tests of this folder meet it: ended and started again on what is there,
// its commands run on the same data, and clients that reach its listeners by name. Which listeners there are is the test's choice.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import {
  type ClientOptions,
  connectClient,
  type MqttClient,
  type OpenTransport,
  tcpTransport,
  tlsTransport,
  unixTransport,
  webSocketTransport,
} from '@motte/client';
import { type Finished, motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';

export class RunningBroker {
  /** Commands run here: what `device add` writes, and what a test names by a relative path. */
  readonly folder: string;
  readonly data: string;
  readonly #clients: MqttClient[] = [];
  #ports = new Map<string, number>();
  #started: Started | undefined;

  /** Nothing runs yet; `listenersOf` gives the listeners as `motte.yaml` has them, of the data directory. */
  constructor(what: string, listenersOf: (data: string) => readonly string[]) {
    this.folder = mkdtempSync(join(tmpdir(), `motte-${what}-`));
    this.data = join(this.folder, 'data');
    mkdirSync(this.data);
    const lines = ['listeners:', ...listenersOf(this.data).map((one) => `  - ${one}`), 'console: off', ''];
    writeFileSync(join(this.data, 'motte.yaml'), lines.join('\n'));
  }

  async start(): Promise<void> {
    this.#started = await startBroker(this.data);
    const { listeners } = await openAdmin(this.data).status();
    this.#ports = new Map(listeners.map(({ name, url }) => [name, Number(/:([0-9]+)/.exec(url.slice(7))?.[1])]));
  }

  /** Its clients first, without a word. */
  async end(signal: NodeJS.Signals): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    this.#started?.child.kill(signal);
    await this.#started?.exited;
  }

  /** Ends it, and nothing of it stays on the disk. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What it wrote to standard output since it was started. */
  out(): string {
    return this.#started?.out() ?? '';
  }

  run(...args: string[]): Promise<Finished> {
    return motte([...args, '--data', this.data], this.folder);
  }

  /** Runs what must end well and gives its output; throws with what it said otherwise. */
  async command(...args: string[]): Promise<string> {
    const { exit, out, err } = await this.run(...args);
    if (exit !== 0) throw new Error(`motte ${args.join(' ')} ended with ${exit}: ${err}`);
    return out;
  }

  read(...parts: string[]): string {
    return readFileSync(join(this.folder, ...parts), 'utf8');
  }

  port(listener: string): number {
    return this.#ports.get(listener) ?? 0;
  }

  /** The files that `device add` wrote for it. */
  pairOf(name: string, directory = name): { ca: string; cert: string; key: string } {
    const [ca, cert, key] = ['ca.crt', `${name}.crt`, `${name}.key`].map((file) => this.read(directory, file));
    return { ca, cert, key } as { ca: string; cert: string; key: string };
  }

  /** By the listener `devices`. */
  mqtts(name: string, directory?: string): OpenTransport {
    return tlsTransport({ host: '127.0.0.1', port: this.port('devices'), ...this.pairOf(name, directory) });
  }

  /** By the listener `web`. */
  wss(name: string): OpenTransport {
    return webSocketTransport({ url: `wss://localhost:${this.port('web')}/mqtt`, ...this.pairOf(name) });
  }

  mqtt(listener = 'lab'): OpenTransport {
    return tcpTransport({ host: '127.0.0.1', port: this.port(listener) });
  }

  ws(listener: string): OpenTransport {
    return webSocketTransport({ url: `ws://127.0.0.1:${this.port(listener)}/mqtt` });
  }

  /** By a socket in the data directory. */
  unix(file: string): OpenTransport {
    return unixTransport(join(this.data, file));
  }

  async connect(options: ClientOptions): Promise<MqttClient> {
    const client = await connectClient(options);
    this.#clients.push(client);
    return client;
  }
}
