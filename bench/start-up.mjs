// node bench/start-up.mjs: how long the program takes to come back to a large store, and how much memory it has then. Makes the
// store through the broker's own port, starts the built program on it, and reads its log and /proc. It measures; it never fails.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { sessionKey } from '../packages/broker/dist/host.js';
import { openStore } from '../packages/broker/dist/store/open-store.js';
import { registryPath, storePath } from '../packages/motte/dist/data/layout.js';

const ENTRY = fileURLToPath(new URL('../packages/motte/bin/motte.js', import.meta.url));
const USAGE = `usage: node bench/start-up.mjs [--sessions N] [--retained N] [--starts N] [--data DIR] [--profile]
  --sessions N   sessions, 3 subscriptions each; default 100000
  --queued N     messages of 200 bytes in the queue of every tenth of them; default 2
  --retained N   retained messages of 64 bytes; default 1000000
  --settle       has the garbage of the start collected (through the inspector) and looks at memory once more
  --starts N     how often the program is started; default 3
  --data DIR     a directory that an earlier run left there, or is to leave
  --profile      writes a CPU profile of each start into the directory`;

const REALM = 'ca:motte';
const NAMES = { sessions: 100_000, queued: 2, retained: 1_000_000, starts: 3 };
const STAGED_BYTES_MAX = 16 * 1024 * 1024;
const CONFIG = `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0" }
console: off
`;
/** Linux counts CPU time in these, whatever the machine. */
const TICKS_PER_SECOND = 100;
const encoder = new TextEncoder();

async function main() {
  const options = parseOptions();
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const folder = options.data ?? mkdtempSync(join(tmpdir(), 'motte-start-up-'));
  const data = join(folder, 'data');
  try {
    if (!isThere(join(folder, 'made'))) {
      mkdirSync(data, { recursive: true, mode: 0o700 });
      writeFileSync(join(data, 'motte.yaml'), CONFIG);
      // The authority and its keys are made now, not in the time that is measured.
      await start(data, {});
      const began = performance.now();
      await fill(data, options);
      writeFileSync(join(folder, 'made'), '');
      console.log(`store made in ${seconds(performance.now() - began)} s`);
    }
    console.log(`store: ${Math.round(sizeOf(storePath(data)) / 1e6)} MB on disk`);
    for (let n = 0; n < options.starts; n++) {
      const { ms, cpu, rss, peak, settled, authority, back, ended } = await start(data, options);
      console.log(
        `start ${n + 1}: ${seconds(ms)} s to the first listener (${cpu.toFixed(2)} s of CPU), RSS ${mib(rss)} MiB (at most ${mib(peak)} MiB${settled > 0 ? `, ${mib(settled)} MiB its own and no garbage` : ''}), ` +
          `authority ${mib(authority)} MiB; ${back.sessions ?? 0} sessions, ${back.retained ?? 0} retained messages; ` +
          `ended in ${seconds(ended)} s`,
      );
    }
  } finally {
    if (options.data === undefined) rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

function parseOptions() {
  const strings = Object.fromEntries(Object.keys(NAMES).map((name) => [name, { type: 'string' }]));
  try {
    const { values } = parseArgs({
      options: { ...strings, data: { type: 'string' }, profile: { type: 'boolean' }, settle: { type: 'boolean' } },
    });
    const numbers = Object.entries(NAMES).map(([name, fallback]) => [name, Number(values[name] ?? fallback)]);
    if (numbers.some(([, value]) => !Number.isSafeInteger(value) || value < 0)) return undefined;
    return { ...values, ...Object.fromEntries(numbers) };
  } catch {
    return undefined;
  }
}

/** Every device is registered, as it would be; each has a session that ended an hour ago. */
async function fill(data, { sessions, queued, retained }) {
  const names = Array.from({ length: sessions }, (_, n) => `device-${n}`);
  const identities = names.map((name) => ({
    realm: REALM,
    name,
    kind: 'device',
    roles: ['device'],
    state: 'active',
    addedAtMs: 0,
  }));
  writeFileSync(registryPath(data), JSON.stringify({ format: 1, identities }), { mode: 0o600 });
  const store = await openStore({ kind: 'level', lingerMs: 5 }, storePath(data));
  const endedAtMs = Date.now() - 3_600_000;
  for (const [n, name] of names.entries()) {
    const key = sessionKey(`${REALM}\n${name}`, name);
    const facts = { realm: REALM, name, clientId: name, generation: 1, expirySeconds: 0xffff_ffff, sentSeq: 0 };
    const session = { key, ...facts, endedAtMs, listener: 'devices', address: '10.0.0.1' };
    store.stage({ kind: 'session', session }, true);
    for (const last of ['cmd', 'config/#', '+/set']) {
      const options = {
        qos: 1,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
        subscriptionIdentifier: 0,
      };
      const subscription = { filter: `devices/${name}/down/${last}`, ...options };
      store.stage({ kind: 'subscribe', key, subscription }, true);
    }
    for (let seq = 1; n % 10 === 0 && seq <= queued; seq++) {
      const message = messageOf(`devices/${name}/down/cmd`, `set ${seq} `.padEnd(200, 'x'), false);
      const copy = { seq, message, qos: 1, retain: false, subscriptionIds: [], share: '' };
      store.stage({ kind: 'queue', key, entry: copy }, true);
    }
    if (n % 10 === 0) await room(store);
  }
  for (let n = 0; n < retained; n++) {
    const message = messageOf(
      `devices/device-${n % Math.max(1, sessions)}/up/value-${n}`,
      `${n} `.padEnd(64, 'x'),
      true,
    );
    store.stage({ kind: 'retain', message }, true);
    if (n % 1000 === 0) await room(store);
  }
  await store.close();
}

function messageOf(topic, payload, retain) {
  return {
    topic,
    topicBytes: encoder.encode(topic),
    payload: encoder.encode(payload),
    qos: 1,
    retain,
    properties: new Uint8Array(0),
    expiresAtMs: 0,
    publisher: '',
    owner: '',
  };
}

async function room(store) {
  do await new Promise((resolve) => setImmediate(resolve));
  while (store.stagedBytes > STAGED_BYTES_MAX);
}

/** Starts the program, waits for its first listener, looks at its memory, and ends it. */
async function start(data, { profile, settle }) {
  const flags = profile ? ['--cpu-prof', '--cpu-prof-dir', join(data, '..')] : [];
  if (settle) flags.push('--inspect=127.0.0.1:0');
  const began = performance.now();
  const child = spawn(process.execPath, [...flags, ENTRY, 'start', '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('close', resolve));
  let out = '';
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (out.includes('"listener.opened"')) resolve();
    });
    void exited.then((code) => reject(new Error(`the program ended with ${code}: ${err}`)));
  });
  const ms = performance.now() - began;
  const cpu = cpuSecondsOf(child.pid);
  const [rss, peak] = memoryOf(child.pid);
  const inspector = /ws:\S+/.exec(err)?.[0];
  if (inspector !== undefined) await collectGarbage(inspector);
  const settled = inspector === undefined ? 0 : memoryOf(child.pid)[2];
  const [authority = 0] = childrenOf(child.pid).map((pid) => memoryOf(pid)[0]);
  const line = out.split('\n').find((one) => one.includes('"store.opened"'));
  const ending = performance.now();
  child.kill('SIGTERM');
  await exited;
  return {
    ms,
    cpu,
    rss,
    peak,
    settled,
    authority,
    back: line === undefined ? {} : JSON.parse(line),
    ended: performance.now() - ending,
  };
}

/** What V8 would do in its own time; the process has no other way to be asked. */
async function collectGarbage(address) {
  const socket = new WebSocket(address);
  await once(socket, 'open');
  for (let id = 1; id <= 2; id++) {
    socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }));
    await once(socket, 'message');
  }
  socket.terminate();
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return ['VmRSS', 'VmHWM', 'RssAnon'].map(
    (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024,
  );
}

/** User and system time so far: on a machine that does other things too it says more than the clock. */
function cpuSecondsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((one) => one !== '');
}

function sizeOf(folder) {
  return readdirSync(folder, { recursive: true }).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function isThere(path) {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

const seconds = (ms) => (ms / 1000).toFixed(2);
const mib = (bytes) => Math.round(bytes / 1024 / 1024);

process.exitCode = await main();
