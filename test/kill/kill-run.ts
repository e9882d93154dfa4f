// The real program, killed without warning again and again while publishers and subscribers go on, and a ledger of what was
// acknowledged and what arrived. Clients are those of the simulation, over TCP on loopback.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QoS } from '@motte/wire';
import { Chance } from '../fuzz/chance.ts';
import type { Wire } from '../sim/endpoint.ts';
import { Ledger } from '../sim/ledger.ts';
import { SimClient } from '../sim/sim-client.ts';

const ENTRY = fileURLToPath(new URL('../../packages/motte/bin/motte.js', import.meta.url));

const CONFIG = `listeners:
  - { name: plain, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, clientIds: any, waiver: "kills on loopback" }
console: off
log: { level: info, shape: json }
limits: { queueMessagesMax: 1000000, queueBytesMax: 1073741824 }
`;

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface KillOutcome {
  readonly kills: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly arrived: number;
  /** Time from the start of the process to its first listener, in ms: median and longest. */
  readonly startMs: { readonly median: number; readonly longest: number };
}

/** Kills so many times, then lets everything settle; throws what broke a promise. */
export async function killAgainAndAgain(options: KillOptions): Promise<KillOutcome> {
  const run = new KillRun(options);
  try {
    return await run.play();
  } finally {
    run.end();
  }
}

class KillRun {
  readonly #options: KillOptions;
  readonly #chance: Chance;
  readonly #folder = mkdtempSync(join(tmpdir(), 'motte-kill-'));
  readonly #data: string;
  readonly #ledger = new Ledger();
  readonly #clients: SimClient[] = [];
  readonly #startsMs: number[] = [];
  #child: ChildProcess | undefined = undefined;
  #port = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #wrong: Error | undefined = undefined;

  constructor(options: KillOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.#data = join(this.#folder, 'data');
    mkdirSync(this.#data);
    writeFileSync(join(this.#data, 'motte.yaml'), CONFIG);
    for (let at = 0; at < CLIENTS; at++) {
      const wants = [
        { filter: `t/${at % 4}/#`, qos: (at % 3) as QoS },
        { filter: '+/all', qos: 2 as QoS },
      ];
      this.#clients.push(
        new SimClient({ id: `client-${at}`, version: 5, wants }, this.#ledger, this.#chance, Date.now),
      );
    }
  }

  async play(): Promise<KillOutcome> {
    const { kills, say } = this.#options;
    this.#timer = setInterval(() => this.#guard(() => this.#act()), 2);
    for (let kill = 1; kill <= kills; kill++) {
      const started = this.#start();
      // Some die before they have opened anything.
      const isEarly = this.#chance.oneIn(10);
      if (!isEarly) await started;
      await sleep(isEarly ? this.#chance.between(50, 600) : this.#chance.between(20, 1_200));
      this.#check();
      await this.#kill();
      const { sent, acknowledged, arrived } = this.#ledger.counts;
      if (kill % 20 === 0 || kill === kills)
        say(`${kill} kills, ${sent} sent, ${acknowledged} acknowledged, ${arrived} arrivals`);
    }
    await this.#start();
    await this.#settle();
    this.#check();
    this.#ledger.settle(Date.now());
    const sorted = this.#startsMs.toSorted((a, b) => a - b);
    const startMs = { median: sorted[sorted.length >> 1] ?? 0, longest: sorted.at(-1) ?? 0 };
    return { kills, ...this.#ledger.counts, startMs };
  }

  end(): void {
    clearInterval(this.#timer);
    this.#child?.kill('SIGKILL');
    for (const client of this.#clients) client.cut();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Starts the program; resolves once its listener is open, or it is gone. */
  #start(): Promise<void> {
    const begun = performance.now();
    const child = spawn(process.execPath, [ENTRY, 'start', '--data', this.#data], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    return new Promise((resolve) => {
      let seen = '';
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk;
        for (const line of said.split('\n').slice(0, -1)) this.#read(line);
        said = said.slice(said.lastIndexOf('\n') + 1);
        if (this.#port !== 0) {
          this.#startsMs.push(performance.now() - begun);
          resolve();
        }
      });
      child.stderr.on('data', (chunk: Buffer) => (seen += chunk));
      child.once('close', (code) => {
        if (code !== null && code !== 0) this.#wrong ??= new Error(`the broker ended with ${code}: ${seen}`);
        resolve();
      });
    });
  }

  #read(line: string): void {
    const { event, level, url, why } = JSON.parse(line) as Record<string, string | undefined>;
    if (event === 'listener.opened') this.#port = Number(/:(\d+)$/.exec(url ?? '')?.[1]);
    if (level === 'error') this.#wrong ??= new Error(`the log says ${event}: ${why}`);
    if (event === 'session.dropped-message') this.#wrong ??= new Error(`a message was dropped: ${why}`);
  }

  async #kill(): Promise<void> {
    const child = this.#child as ChildProcess;
    this.#port = 0;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** What clients do now and then, whether the broker is there or not. */
  #act(): void {
    const chance = this.#chance;
    for (const client of this.#clients) {
      if (!client.isOnline) {
        if (this.#port !== 0 && chance.oneIn(5)) this.#connect(client);
        continue;
      }
      if (chance.oneIn(8)) client.publish(chance.pick(TOPICS), chance.int(3) as QoS);
      for (let left = chance.int(6); left > 0; left--) client.acknowledge();
      if (chance.oneIn(2_000)) client.cut();
    }
  }

  #connect(client: SimClient): void {
    const socket = connect(this.#port, '127.0.0.1');
    const wire: Wire = {
      send: (bytes) => void (socket.destroyed || socket.write(bytes)),
      cut: () => socket.destroy(),
    };
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#guard(() => client.take(wire, bytes)));
    socket.on('error', () => undefined);
    socket.on('close', () => client.lost(wire));
    client.connect(wire);
  }

  async #settle(): Promise<void> {
    clearInterval(this.#timer);
    const until = Date.now() + SETTLE_MS;
    for (let quiet = 0; quiet < 100; ) {
      if (Date.now() > until) throw new Error(`still unfinished long after the last start: ${this.#unfinished()}`);
      for (const client of this.#clients) {
        if (!client.isOnline) this.#connect(client);
        for (let left = 20; left > 0; left--) client.acknowledge();
      }
      this.#check();
      await sleep(10);
      quiet = this.#clients.every((client) => client.isDone) ? quiet + 1 : 0;
    }
  }

  #unfinished(): string {
    const { arrived } = this.#ledger.counts;
    return `${this.#clients.filter((client) => !client.isDone).map((client) => client.state)}; ${arrived} arrivals`;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (fault) {
      this.#wrong ??= fault as Error;
    }
  }

  #check(): void {
    if (this.#wrong !== undefined) throw this.#wrong;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const CLIENTS = 12;
const TOPICS = ['t/0/a', 't/0/b', 't/1/a', 't/2/a', 't/3/a', 'x/all'];
const SETTLE_MS = 300_000;
