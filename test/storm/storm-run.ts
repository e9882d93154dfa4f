// Devices that lost their broker to `kill -9` and all come back at once: the real program with its default limits, one session and
// some queued messages for each, and a ledger of what was acknowledged and what arrived. Clients are those of the simulation.
//
// Devices come in cells, each with a ledger, a certificate and a feeder of its own: the feeder publishes what they are owed.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { openAdmin } from '@motte/admin';
import type { QoS } from '@motte/wire';
import { enrolDemoDevice } from '../../packages/motte/src/demo/devices.ts';
import { type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { Chance } from '../fuzz/chance.ts';
import type { Wire } from '../sim/endpoint.ts';
import { Ledger } from '../sim/ledger.ts';
import { SimClient } from '../sim/sim-client.ts';

export interface StormOptions {
  readonly devices: number;
  readonly tls: boolean;
  readonly say: (line: string) => void;
}

export interface StormOutcome {
  /** From the start of the process after the kill to its first accepted connection. */
  readonly startSeconds: number;
  /** From the first connection of the storm until every device had its session. */
  readonly backSeconds: number;
  /** Until everything they were owed was delivered to its end, too. */
  readonly deliveredSeconds: number;
  readonly messages: number;
  /** Connections that did not come to a session and were tried again. */
  readonly again: number;
}

interface Cell {
  readonly ledger: Ledger;
  readonly name: string;
  readonly feeder: SimClient;
  readonly devices: readonly SimClient[];
  readonly context: SecureContext | undefined;
}

/** Plays the storm once; throws what broke a promise. */
export async function storm(options: StormOptions): Promise<StormOutcome> {
  const run = new StormRun(options);
  try {
    return await run.play();
  } finally {
    await run.end();
  }
}

class StormRun {
  readonly #options: StormOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'motte-storm-'));
  readonly #data = join(this.#folder, 'data');
  readonly #chance = new Chance(1);
  readonly #cells: Cell[] = [];
  readonly #wires = new Set<Wire>();
  #broker: Started | undefined = undefined;
  #port = 0;
  #again = 0;
  #isOver = false;
  #wrong: Error | undefined = undefined;

  constructor(options: StormOptions) {
    this.#options = options;
    mkdirSync(this.#data, { mode: 0o700 });
    writeFileSync(join(this.#data, 'motte.yaml'), options.tls ? TLS_LISTENER : PLAIN_LISTENER);
  }

  async play(): Promise<StormOutcome> {
    const { say } = this.#options;
    await this.#start();
    await this.#populate();
    say(`${this.#devices.length} devices in ${this.#cells.length} cells`);
    for (let from = 0; from < this.#clients.length; from += AT_ONCE) {
      const some = this.#clients.slice(from, from + AT_ONCE);
      for (const client of some) this.#connect(client);
      await this.#until(() =>
        some.every((client) => client.isDone && this.#cellOf(client).ledger.hasGrants(client.id)),
      );
    }
    for (const client of this.#devices) client.cut();
    await this.#until(() => this.#devices.every((client) => !client.isOnline));
    await this.#feed();
    const messages = this.#devices.length * MESSAGES;
    say(`every device has its session and is away, ${messages} messages for them were acknowledged`);

    await this.#kill();
    for (const wire of [...this.#wires]) wire.cut();
    await this.#until(() => this.#clients.every((client) => !client.isOnline));
    const killedAt = performance.now();
    await this.#start();
    const startSeconds = secondsSince(killedAt);
    say(`killed and started again: ${startSeconds} s`);
    this.#again = 0;
    const begunAt = performance.now();
    for (const client of this.#devices) this.#connect(client);
    await this.#until(() => this.#devices.every((client) => client.isConnected));
    const backSeconds = secondsSince(begunAt);
    say(`all back: ${backSeconds} s`);
    await this.#until(() => this.#devices.every((client) => client.isDone) && this.#arrived === messages);
    const deliveredSeconds = secondsSince(begunAt);
    this.#checkLog();
    for (const { ledger } of this.#cells) ledger.settle(Date.now());
    return { startSeconds, backSeconds, deliveredSeconds, messages, again: this.#again };
  }

  async end(): Promise<void> {
    this.#isOver = true;
    for (const wire of [...this.#wires]) wire.cut();
    await this.#kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #devices(): SimClient[] {
    return this.#cells.flatMap((cell) => cell.devices);
  }

  get #clients(): SimClient[] {
    return this.#cells.flatMap((cell) => [cell.feeder, ...cell.devices]);
  }

  get #arrived(): number {
    return this.#cells.reduce((sum, { ledger }) => sum + ledger.counts.arrived, 0);
  }

  #cellOf(client: SimClient): Cell {
    return this.#cells.find(({ name }) => client.id.startsWith(`${name}/`)) as Cell;
  }

  async #populate(): Promise<void> {
    const { devices, tls } = this.#options;
    for (let made = 0; made < devices; made += CELL) {
      const name = `cell-${this.#cells.length}`;
      const ledger = new Ledger();
      const client = (id: string, qos: QoS): SimClient =>
        new SimClient(
          { id: `${name}/${id}`, version: 5, wants: [{ filter: `${name}/${id}/#`, qos }] },
          ledger,
          this.#chance,
          Date.now,
        );
      const count = Math.min(CELL, devices - made);
      const own = Array.from({ length: count }, (_, at) => client(`device-${at}`, at % 2 === 0 ? 1 : 2));
      const context = tls ? createSecureContext(await enrolDemoDevice(this.#place, name, 'device')) : undefined;
      this.#cells.push({ ledger, name, feeder: client('feeder', 0), devices: own, context });
    }
  }

  get #place() {
    return { data: this.#data, config: { path: join(this.#data, 'motte.yaml'), explicit: false } };
  }

  /** Publishes to each device while it is away, until all of it is acknowledged. */
  async #feed(): Promise<void> {
    const owed = this.#cells.map(({ devices }) =>
      devices.flatMap(({ id }) => Array.from({ length: MESSAGES }, (_, n) => ({ id, n }))),
    );
    await this.#until(() => {
      for (const [at, { feeder, ledger }] of this.#cells.entries()) {
        for (const waiting = owed[at] ?? []; waiting.length > 0; ) {
          const { sent } = ledger.counts;
          const { id, n } = waiting[0] as { id: string; n: number };
          feeder.publish(`${id}/${n}`, n % 2 === 0 ? 1 : 2);
          // As much under way as a client may have.
          if (ledger.counts.sent === sent) break;
          waiting.shift();
        }
      }
      return owed.every((waiting) => waiting.length === 0) && this.#cells.every(({ feeder }) => feeder.isDone);
    });
  }

  async #start(): Promise<void> {
    this.#broker = await startBroker(this.#data);
    const { listeners } = await openAdmin(this.#data).status();
    this.#port = Number(/:([0-9]+)$/.exec(listeners[0]?.url ?? '')?.[1]);
  }

  async #kill(): Promise<void> {
    this.#broker?.child.kill('SIGKILL');
    await this.#broker?.exited;
  }

  #connect(client: SimClient): void {
    const { context } = this.#cellOf(client);
    const to = { port: this.#port, host: '127.0.0.1' };
    const socket: Socket = context === undefined ? connectTcp(to) : connectTls({ ...to, secureContext: context });
    const wire: Wire = {
      send: (bytes) => void (socket.destroyed || socket.write(bytes)),
      cut: () => socket.destroy(),
    };
    this.#wires.add(wire);
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#take(client, wire, bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const wasConnected = client.isConnected;
      this.#wires.delete(wire);
      client.lost(wire);
      if (wasConnected || this.#isOver) return;
      this.#again += 1;
      setTimeout(() => this.#isOver || this.#connect(client), this.#chance.between(500, 1_500));
    });
    client.connect(wire);
  }

  #take(client: SimClient, wire: Wire, bytes: Buffer): void {
    try {
      client.take(wire, bytes);
      // No more than a client that may have twenty messages under way can owe.
      for (let left = 40; left > 0; left--) client.acknowledge();
    } catch (fault) {
      this.#wrong ??= fault as Error;
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    const end = performance.now() + PHASE_MS;
    while (!isSo()) {
      if (this.#wrong !== undefined) throw this.#wrong;
      if (performance.now() > end) throw new Error(`not done after ${PHASE_MS / 1000} s; ${this.#standing()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #standing(): string {
    const of = this.#devices;
    const connected = of.filter((client) => client.isConnected).length;
    return `${connected} of ${of.length} connected, ${this.#arrived} messages arrived, ${this.#again} connections tried again`;
  }

  /** Nothing was given up and no invariant broke. */
  #checkLog(): void {
    for (const line of (this.#broker?.out() ?? '').split('\n').slice(0, -1)) {
      const { event, level } = JSON.parse(line) as { event?: string; level: string };
      if (level === 'error' || event === 'session.dropped-message') throw new Error(`the log says ${line}`);
    }
  }
}

function secondsSince(at: number): number {
  return Math.round((performance.now() - at) / 100) / 10;
}

/** Below the sessions that one identity may have. */
const CELL = 50;
/** What a device is owed when it comes back. */
const MESSAGES = 3;
/** Connections begun at once while nothing is wrong. */
const AT_ONCE = 100;
const PHASE_MS = 120_000;

const REST = 'console: off\nlog: { level: info, shape: json }\n';
const PLAIN_LISTENER = `listeners:
  - { name: plain, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, waiver: "a storm on loopback" }
${REST}`;
const TLS_LISTENER = `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0", role: lab, waiver: "a storm on loopback" }
${REST}`;
