// One run of mixed fuzzing against a real process: who takes part, what is looked at, and what makes the run fail.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AttackOptions, AttackReport } from './attackers-main.ts';
import { BrokerProcess, type DeviceFiles, type Memory, SILENCE_MS_MAX } from './broker-process.ts';
import { Bystanders, type FlowReport } from './bystanders.ts';

const MIB = 1024 * 1024;
/** What memory may grow from the end of the warm-up to the end: less than a leak of some hundred bytes a connection. */
const HEAP_GROWTH_BYTES_MAX = 16 * MIB;
const RSS_GROWTH_BYTES_MAX = 96 * MIB;
/** Runs shorter than this end before the allocator has what it needs: only their heap is judged. */
const RSS_JUDGED_FROM_SECONDS = 60;
/** Descriptors that come and go by themselves: the admin API's. */
const DESCRIPTORS_SLACK = 4;
/** Longest time from publisher to subscriber while the machine is shared with 200 hostile connections and who knows what. */
const LATENCY_MS_MAX = 10_000;
/** Processor share of a broker at rest, on a machine that others use: one that turns in circles takes all of it. */
const IDLE_SHARE_MAX = 0.2;

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly connections: number;
  /** Play only the connection of this seed. */
  readonly once?: boolean;
  readonly say: (line: string) => void;
}

interface Sample {
  readonly memory: Memory;
  readonly descriptors: number;
}

/** Returns what was wrong, as sentences; empty = nothing. */
export async function fuzzBroker({
  seed,
  seconds,
  connections,
  once: single = false,
  say,
}: FuzzOptions): Promise<string[]> {
  const broker = new BrokerProcess();
  let attack: Attack | undefined;
  try {
    await broker.start();
    const publisher = await broker.addDevice('steady', 'device');
    const subscriber = await broker.addDevice('watcher', 'operator');
    const device = await broker.addDevice('fuzz', 'device');
    const bystanders = new Bystanders({ ports: broker.ports, publisher, subscriber });
    await bystanders.start();
    say(`seed ${seed}, ${connections} connections at once for ${seconds} s, process ${broker.pid}`);
    attack = startAttack(broker, device, { seed, seconds, connections, once: single });
    await attack.begun;
    const samples = watch(broker, seconds, say);
    const { report, crashed } = await attack.result;
    const warm = await samples;
    const wrong = crashed === undefined ? [...report.stuck.map((who) => `stuck: ${who}`)] : [crashed];
    say(`${report.played} connections (${describe(report.byKind)}), ${Math.round(report.bytesSent / MIB)} MiB sent`);
    wrong.push(...(await leftBehind(broker, bystanders.connections)));
    const rest = await sample(broker);
    wrong.push(...growth({ warm, rest, seconds, say }));
    const flows = await bystanders.finish();
    wrong.push(...bystanders.wrong, ...late(flows, say));
    wrong.push(...(await restless(broker, say)));
    if (!broker.alive) wrong.push('the process is gone');
    say(`log: ${describe(Object.fromEntries(broker.events)) || 'empty'}`);
    return [...wrong, ...broker.wrong];
  } finally {
    attack?.end();
    await broker.stop();
  }
}

interface Attack {
  /** Resolves when the first connection is about to be made. */
  readonly begun: Promise<unknown>;
  readonly result: Promise<{ report: AttackReport; crashed?: string }>;
  end(): void;
}

function startAttack(
  broker: BrokerProcess,
  device: DeviceFiles,
  wanted: Pick<AttackOptions, 'seed' | 'seconds' | 'connections' | 'once'>,
): Attack {
  const options: AttackOptions = { ...wanted, ports: broker.ports, device, silenceMsMax: SILENCE_MS_MAX };
  const loader = new URL('../typescript-loader.mjs', import.meta.url).href;
  const main = fileURLToPath(new URL('attackers-main.ts', import.meta.url));
  const flags = ['--conditions=source', '--import', loader];
  const child: ChildProcess = spawn(process.execPath, [...flags, main, JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  } as never);
  const begun = Promise.race([once(child, 'message'), once(child, 'exit')]);
  const result = new Promise<{ report: AttackReport; crashed?: string }>((resolve) => {
    child.on('message', (message: 'begun' | AttackReport) => {
      if (message !== 'begun') resolve({ report: message });
    });
    child.once('exit', (code, signal) => {
      const report: AttackReport = { played: 0, byKind: {}, bytesSent: 0, stuck: [] };
      resolve({ report, crashed: `the attackers ended by themselves with ${code ?? signal}` });
    });
  });
  return { begun, result, end: () => child.kill() };
}

/** Samples while the attack goes on; gives the one at the end of the warm-up, a fifth of the time. */
async function watch(broker: BrokerProcess, seconds: number, say: (line: string) => void): Promise<Sample> {
  const startedAt = Date.now();
  const pause = Math.max(2_000, Math.min(60_000, seconds * 100));
  let warm: Sample | undefined;
  while (Date.now() - startedAt < seconds * 1000 && broker.alive) {
    await sleep(pause);
    const one = await sample(broker).catch(() => undefined);
    if (one === undefined) break;
    const elapsed = (Date.now() - startedAt) / 1000;
    if (elapsed >= seconds / 5) warm ??= one;
    say(`${elapsed.toFixed(0).padStart(5)} s  ${render(one)}, ${broker.events.get('peer.refused') ?? 0} refused`);
  }
  return warm ?? (await sample(broker));
}

async function sample(broker: BrokerProcess): Promise<Sample> {
  return { memory: await broker.memory(), descriptors: broker.descriptors };
}

/** Every hostile connection is gone, by the broker's own account. */
async function leftBehind(broker: BrokerProcess, bystanders: number): Promise<string[]> {
  const until = Date.now() + SILENCE_MS_MAX;
  for (;;) {
    const { listeners } = await broker.admin.status();
    const open = listeners.reduce((sum, { connections }) => sum + connections, 0);
    const { clients } = await broker.admin.clients();
    const present = clients.filter(({ state }) => state !== 'away');
    if (open === bystanders && present.length === bystanders) return [];
    if (Date.now() > until) {
      const rows = present.filter(({ clientId }) => !/^[ps][a-z0-9]{8}|^steady|^watcher/.test(clientId)).slice(0, 5);
      return [
        `${open} connections and ${present.length} clients are left instead of ${bystanders}`,
        ...rows.map((row) => `left: ${JSON.stringify(row)}`),
      ];
    }
    await sleep(250);
  }
}

interface Growth {
  readonly warm: Sample;
  readonly rest: Sample;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

function growth({ warm, rest: end, seconds, say }: Growth): string[] {
  say(`after warm-up: ${render(warm)}`);
  say(`at the end:    ${render(end)}`);
  const wrong: string[] = [];
  const heap = end.memory.heapBytes - warm.memory.heapBytes;
  const rss = end.memory.rssBytes - warm.memory.rssBytes;
  if (heap > HEAP_GROWTH_BYTES_MAX) wrong.push(`the heap grew by ${mib(heap)}`);
  if (seconds >= RSS_JUDGED_FROM_SECONDS && rss > RSS_GROWTH_BYTES_MAX) wrong.push(`RSS grew by ${mib(rss)}`);
  if (end.descriptors > warm.descriptors + DESCRIPTORS_SLACK) {
    wrong.push(`${end.descriptors} descriptors at the end, ${warm.descriptors} with everybody there`);
  }
  return wrong;
}

function late(flows: readonly FlowReport[], say: (line: string) => void): string[] {
  for (const { name, qos, sent, received, latencyMs: l } of flows) {
    say(`${name}, QoS ${qos}: ${received} of ${sent} messages; latency p50 ${l.p50}, p99 ${l.p99}, max ${l.max} ms`);
  }
  return flows
    .filter(({ latencyMs }) => latencyMs.max > LATENCY_MS_MAX)
    .map(({ name, latencyMs }) => `${name}: a message took ${latencyMs.max} ms`);
}

/** With nobody there the broker does next to nothing. */
async function restless(broker: BrokerProcess, say: (line: string) => void): Promise<string[]> {
  await sleep(1_000);
  const from = broker.cpuMs;
  await sleep(2_000);
  const share = (broker.cpuMs - from) / 2_000;
  say(`processor at rest: ${(share * 100).toFixed(1)} %`);
  return share > IDLE_SHARE_MAX ? [`at rest the broker takes ${(share * 100).toFixed(1)} % of a processor`] : [];
}

function render({ memory, descriptors }: Sample): string {
  const { heapBytes, rssBytes, turnMs } = memory;
  return `heap ${mib(heapBytes)}, RSS ${mib(rssBytes)}, ${descriptors} descriptors, longest turn ${turnMs} ms`;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function describe(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name || 'other'}`)
    .join(', ');
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
