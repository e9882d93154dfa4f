// The built program as an operator runs it: `motte start` with a file of its own, free loopback ports, a listener of every
// scheme, devices enrolled by `motte device add`. It is ended by its process id and must not have broken an invariant.

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { type Finished, motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';

/** Paths of what `device add` wrote. */
export interface EnrolledDevice {
  readonly name: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface LogLine {
  readonly event?: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

export type ListenerName = 'devices' | 'web' | 'lab' | 'lab-web' | 'lab-socket' | 'page';

export interface RunningMotteOptions {
  /** Each gets the roles `device` and `operator`: it publishes below its own name and may read what all publish. */
  readonly devices?: readonly string[];
  /** Origins of pages that the listeners `web` and `page` accept. */
  readonly origins?: readonly string[];
  /**
   * Lists the address of `web` itself. Paho for Python and for C name the listener they call as their Origin, as if they were
   * a page that came from it; a request with an Origin is let in only where it is listed, so whoever uses them lists it too.
   */
  readonly ownOrigin?: boolean;
}

export class RunningMotte {
  readonly folder: string;
  readonly #ports = new Map<string, number>();
  readonly #devices = new Map<string, EnrolledDevice>();
  #broker: Started | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  get socketPath(): string {
    return join(this.folder, 'lab.sock');
  }

  /** Starts it, or starts it again on what is there. */
  async start(): Promise<void> {
    this.#broker = await startBroker(this.data, ['--config', join(this.folder, 'motte.yaml')]);
    for (const { name, url } of (await openAdmin(this.data).status()).listeners) {
      const port = /:([0-9]+)(?:\/|$)/.exec(url)?.[1];
      if (port !== undefined) this.#ports.set(name, Number(port));
    }
  }

  port(name: ListenerName): number {
    const port = this.#ports.get(name);
    if (port === undefined) throw new Error(`no listener ${name} with a port`);
    return port;
  }

  device(name: string): EnrolledDevice {
    const device = this.#devices.get(name);
    if (device === undefined) throw new Error(`${name} was not enrolled`);
    return device;
  }

  async enrol(name: string, roles: readonly string[]): Promise<EnrolledDevice> {
    const out = join(this.folder, name);
    const { exit, err } = await this.command(
      'device',
      'add',
      name,
      '--out',
      out,
      ...roles.flatMap((role) => ['--role', role]),
    );
    if (exit !== 0) throw new Error(`device add ${name} ended with ${exit}: ${err}`);
    const device = { name, ca: join(out, 'ca.crt'), cert: join(out, `${name}.crt`), key: join(out, `${name}.key`) };
    this.#devices.set(name, device);
    return device;
  }

  /** Runs another command of the program on the same data directory. */
  command(...args: string[]): Promise<Finished> {
    return motte([...args, '--data', this.data], this.folder);
  }

  log(): LogLine[] {
    const text = this.#started().out();
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogLine);
  }

  /** SIGTERM; throws unless it ends with 0 and a clean log. */
  async #end(): Promise<void> {
    const { child, exited } = this.#started();
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    const how = await exited;
    clearTimeout(killer);
    const broken = this.log().filter(({ event, level }) => event === 'broker.assertion' || level === 'error');
    if (broken.length > 0) throw new Error(`the log has errors: ${JSON.stringify(broken)}`);
    if (how !== 0) throw new Error(`ended with ${how}: ${this.#started().err()}`);
  }

  /** Ends it, and nothing of it stays on the disk; throws unless it ended well and broke no invariant. */
  async stop(): Promise<void> {
    try {
      if (this.#broker !== undefined) await this.#end();
    } finally {
      this.#broker?.child.kill('SIGKILL');
      await this.#broker?.exited;
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  #started(): Started {
    if (this.#broker === undefined) throw new Error('not started');
    return this.#broker;
  }
}

/** A broker that accepts, with its devices; end it with `stop`. */
export async function startMotte(options: RunningMotteOptions = {}): Promise<RunningMotte> {
  const { devices = [], origins = [], ownOrigin = false } = options;
  const running = new RunningMotte(mkdtempSync(join(tmpdir(), 'motte-interop-')));
  try {
    mkdirSync(running.data, { mode: 0o700 });
    const webPort = ownOrigin ? await freePort() : 0;
    const accepted = ownOrigin ? [...origins, `https://127.0.0.1:${webPort}`] : origins;
    writeFileSync(join(running.folder, 'motte.yaml'), configuration(running.socketPath, webPort, accepted));
    await running.start();
    await Promise.all(devices.map((name) => running.enrol(name, ['device', 'operator'])));
    return running;
  } catch (fault) {
    await running.stop().catch(() => undefined);
    throw fault;
  }
}

/** An origin holds the port, so this one has to be known before the broker listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function configuration(socketPath: string, webPort: number, origins: readonly string[]): string {
  const open = 'authentication: none, role: lab, waiver: { reason: "loopback test", owner: "lab" }';
  const pages = `origins: [${origins.map((origin) => `"${origin}"`).join(', ')}]`;
  return `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0" }
  - { name: web, url: "wss://127.0.0.1:${webPort}/mqtt", ${pages} }
  - { name: page, url: "wss://127.0.0.1:0/mqtt", ${pages}, ${open} }
  - { name: lab, url: "mqtt://127.0.0.1:0", ${open} }
  - { name: lab-web, url: "ws://127.0.0.1:0/mqtt", ${open} }
  - { name: lab-socket, url: "mqtt+unix://${socketPath}", ${open} }
console: { url: "https://localhost:0" }
log: { level: debug, shape: json }
`;
}

const DEADLINE_MS = 20_000;
