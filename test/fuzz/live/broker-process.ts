// The program as it is installed, started on a data directory of its own, and everything that can be seen of it from outside:
// its log as it is written, memory, descriptors, processor time, the admin API.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Admin, openAdmin } from '@motte/admin';
import { motte } from '../../../packages/motte/src/testing/program.ts';

const ENTRY = fileURLToPath(new URL('../../../packages/motte/bin/motte.js', import.meta.url));
const PROBE = new URL('probe.mjs', import.meta.url).href;

/** Small enough that a run meets every one and that what may be kept for long is soon full. */
const LIMITS = {
  packetBytesMax: 200_000,
  connectBytesMax: 4_096,
  receiveMaximum: 20,
  queueMessagesMax: 200,
  queueBytesMax: 400_000,
  unsentBytesMax: 200_000,
  subscriptionsPerSessionMax: 50,
  subscriptionsMax: 5_000,
  sessionsMax: 400,
  retainedMessagesMax: 100,
  retainedBytesMax: 2_000_000,
  routesMax: 500,
  sessionExpirySecondsMax: 3,
  keepAliveSecondsMax: 5,
  handshakeDeadlineMs: 3_000,
  connectDeadlineMs: 2_000,
  partialPacketDeadlineMs: 2_000,
  closeDeadlineMs: 1_000,
};

/** The longest silence the broker may bear, in ms: one and a half times the keep-alive, then the time to close, and slack. */
export const SILENCE_MS_MAX = LIMITS.keepAliveSecondsMax * 1500 + LIMITS.closeDeadlineMs + 6_000;

const WAIVER = 'waiver: "fuzzing on loopback"';
const CONFIG = `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0" }
  - { name: plain, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, ${WAIVER} }
  - { name: web, url: "ws://127.0.0.1:0/mqtt", authentication: none, role: lab, ${WAIVER} }
console: off
log: { level: warn, shape: json }
limits: ${JSON.stringify(LIMITS)}
`;

export interface Memory {
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** The longest turn of the event loop since the sample before, in ms. */
  readonly turnMs: number;
}

export interface DeviceFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export class BrokerProcess {
  readonly admin: Admin;
  readonly folder: string;
  /** Lines of the log by event. */
  readonly events = new Map<string, number>();
  /** What must never be seen: assertions, faults of the store, exceptions, warnings, lines that say too little. */
  readonly wrong: string[] = [];
  ports = { devices: 0, plain: 0, web: 0 };
  readonly #data: string;
  #child!: ChildProcess;
  #ended = false;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'motte-fuzz-'));
    this.#data = join(this.folder, 'data');
    mkdirSync(this.#data);
    writeFileSync(join(this.#data, 'motte.yaml'), CONFIG);
    this.admin = openAdmin(this.#data);
  }

  /** Resolves when every listener accepts. */
  async start(): Promise<void> {
    const { MOTTE_DATA: _, ...env } = process.env;
    this.#child = spawn(process.execPath, ['--import', PROBE, ENTRY, 'start', '--data', this.#data], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.on('message', (message: { fault?: string }) => {
      if (message.fault !== undefined) this.#complain(message.fault);
    });
    let greeting = '';
    let greeted = false;
    await new Promise<void>((resolve, reject) => {
      this.#child.stderr?.on('data', (chunk: Buffer) => {
        if (greeted) this.#complain(`stderr: ${chunk.toString()}`);
        else greeting += chunk.toString();
        if (greeting.includes('every listener accepts')) resolve();
      });
      this.#child.once('exit', (code, signal) => {
        if (!this.#ended) this.#complain(`the process ended with ${code ?? signal}`);
        reject(new Error(`ended with ${code ?? signal}: ${greeting}`));
      });
      createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#read(line));
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    greeted = true;
    const { listeners } = await this.admin.status();
    const portOf = (name: string) => {
      const { url } = listeners.find((one) => one.name === name) ?? { url: 'mqtt://nowhere:0' };
      return Number(new URL(url.replace(/^[a-z]+/, 'http')).port);
    };
    this.ports = { devices: portOf('devices'), plain: portOf('plain'), web: portOf('web') };
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Enrols a device and returns its PEM texts. */
  async addDevice(name: string, role: string): Promise<DeviceFiles> {
    const { exit, err } = await motte(['device', 'add', name, '--role', role, '--data', this.#data], this.folder);
    if (exit !== 0) throw new Error(err);
    const read = (file: string) => readFileSync(join(this.folder, name, file), 'utf8');
    return { ca: read('ca.crt'), cert: read(`${name}.crt`), key: read(`${name}.key`) };
  }

  /** What is in use after a full collection, and the longest turn until then. */
  memory(): Promise<Memory> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the broker did not answer within 20 s')), 20_000);
      const answer = (message: Memory) => {
        if (message.heapBytes === undefined) return;
        clearTimeout(timer);
        this.#child.off('message', answer as never);
        resolve(message);
      };
      this.#child.on('message', answer as never);
      this.#child.send({});
    });
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Processor time so far, in ms. */
  get cpuMs(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async stop(): Promise<void> {
    this.#ended = true;
    if (this.alive) {
      const gone = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(timer);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #read(line: string): void {
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line) as Record<string, unknown>;
    } catch {
      this.#complain(`not a line of the log: ${line.slice(0, 200)}`);
      return;
    }
    const event = typeof entry['event'] === 'string' ? entry['event'] : '';
    this.events.set(event, (this.events.get(event) ?? 0) + 1);
    if (entry['level'] === 'error') this.#complain(line.slice(0, 2000));
    // One line that says who, what and which rule.
    const { because, rule, reason, connection, address, seen } = entry;
    if (event === 'peer.refused' && !(because && rule && reason && connection && address && seen)) {
      this.#complain(`a refusal that says too little: ${line.slice(0, 500)}`);
    }
  }

  #complain(sentence: string): void {
    if (this.wrong.length < 50) this.wrong.push(sentence);
  }
}
