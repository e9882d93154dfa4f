// node bench/logins.mjs: what a flood of wrong logins costs those who are in. Starts the built program with a listener for passwords, lets
// one device send to another at a steady rate, and measures how long each message takes, first alone, then while another process
// logs in with wrong passwords. It measures; it never fails.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';

const HERE = fileURLToPath(import.meta.url);
const ENTRY = fileURLToPath(new URL('../packages/motte/bin/motte.js', import.meta.url));
const USAGE = `usage: node bench/logins.mjs [--logins N] [--messages N] [--seconds N]
  --logins N     wrong logins begun each second; default 200
  --messages N   messages each second; default 100
  --seconds N    how long each half is measured; default 15`;
const NUMBERS = { logins: 200, messages: 100, seconds: 15 };
const CONFIG = `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0" }
  - { name: panel, url: "mqtts://127.0.0.1:0", authentication: password }
console: off
log: { level: info, shape: json }
`;
/** Settled before it is measured. */
const WARM_UP_MS = 2_000;
const TARGET_MS = 50;

async function main() {
  const options = parseOptions();
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'motte-logins-'));
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(data, 'motte.yaml'), CONFIG);
  const broker = await start(data);
  const clients = [];
  try {
    for (const name of ['pump', 'panel']) {
      await motte([
        'device',
        'add',
        name,
        '--out',
        join(folder, name),
        '--data',
        data,
        '--role',
        name === 'panel' ? 'operator' : 'device',
      ]);
    }
    const password = join(folder, 'password');
    writeFileSync(password, 'correct horse battery', { mode: 0o600 });
    await motte(['user', 'add', 'ada', '--password-file', password, '--data', data]);
    const sender = await device(broker.ports.devices, folder, 'pump');
    const receiver = await device(broker.ports.devices, folder, 'panel');
    clients.push(sender, receiver);
    await receiver.subscribeAsync('devices/pump/up/#', { qos: 1 });

    await exchange(sender, receiver, { ...options, seconds: WARM_UP_MS / 1000 });
    const alone = await exchange(sender, receiver, options);
    const flood = fork(HERE, [
      '--flood',
      String(broker.ports.panel),
      String(options.logins),
      join(folder, 'pump', 'ca.crt'),
    ]);
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
    const counted = new Promise((resolve) => flood.once('message', resolve));
    flood.send('count');
    const flooded = await exchange(sender, receiver, options);
    flood.send('stop');
    const { begun, answers } = await counted;
    const growth = percentile(flooded, 0.99) - percentile(alone, 0.99);
    console.log(`messages, ${options.messages} each second for ${options.seconds} s, QoS 1, device to device over TLS`);
    console.log(row('alone', alone));
    console.log(row(`with ${(begun / options.seconds).toFixed(0)} wrong logins a second`, flooded));
    console.log(
      `p99 grows by ${growth.toFixed(1)} ms; at most ${TARGET_MS} ms is wanted: ${growth <= TARGET_MS ? 'reached' : 'missed'}`,
    );
    const texts = Object.entries(answers).map(([code, count]) => `${count} x ${code}`);
    console.log(`the logins were answered: ${texts.join(', ')}`);
  } finally {
    for (const client of clients) client.end(true);
    broker.child.kill('SIGTERM');
    await broker.exited;
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/** How long each of a steady row of messages took, in ms. */
async function exchange(sender, receiver, { messages, seconds }) {
  const total = messages * seconds;
  const sentMs = new Map();
  const took = [];
  const all = new Promise((resolve) => {
    const receive = (_topic, payload) => {
      const n = Number(payload.toString());
      took.push(performance.now() - sentMs.get(n));
      if (took.length < total) return;
      receiver.off('message', receive);
      resolve();
    };
    receiver.on('message', receive);
  });
  const startedMs = performance.now();
  let sent = 0;
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      // By the clock: a timer that is late does not make the rate lower.
      const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * messages));
      for (; sent < due; sent++) {
        sentMs.set(sent, performance.now());
        sender.publish('devices/pump/up/n', String(sent), { qos: 1 });
      }
      if (sent < total) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await all;
  return took.sort((a, b) => a - b);
}

function percentile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

function row(what, took) {
  const [half, most, last] = [0.5, 0.99, 1].map((part) => percentile(took, part).toFixed(1));
  return `  ${what.padEnd(36)} p50 ${half} ms, p99 ${most} ms, longest ${last} ms`;
}

/** The other process: logins under ever other names from ever other places, as far as loopback has them. */
async function runFlood(port, rate, ca) {
  const answers = new Map();
  let begun = 0;
  const startedMs = performance.now();
  let total = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * rate);
    for (; total < due; total++) {
      begun += 1;
      login(port, ca, total, (answer) => answers.set(answer, (answers.get(answer) ?? 0) + 1));
    }
  }, 1);
  process.on('message', (message) => {
    if (message === 'count') {
      begun = 0;
      answers.clear();
      return;
    }
    process.send({ begun, answers: Object.fromEntries(answers) }, () => process.exit(0));
  });
}

function login(port, ca, n, answered) {
  const client = mqtt.connect(`mqtts://127.0.0.1:${port}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    clientId: 'ada',
    username: n % 4 === 0 ? 'ada' : `user-${n}`,
    password: `wrong ${n}`,
    localAddress: `127.0.${(n >> 8) & 255}.${n & 255}`,
    ca,
  });
  let answer = 'no answer';
  client.on('error', (error) => {
    answer = typeof error.code === 'number' ? `CONNACK 0x${error.code.toString(16)}` : String(error.code);
  });
  client.on('close', () => {
    answered(answer);
    client.end(true);
  });
}

async function device(port, folder, name) {
  const file = (end) => readFileSync(join(folder, name, end));
  return mqtt.connectAsync(`mqtts://127.0.0.1:${port}`, {
    protocolVersion: 5,
    clientId: name,
    ca: file('ca.crt'),
    cert: file(`${name}.crt`),
    key: file(`${name}.key`),
  });
}

async function start(data) {
  const child = spawn(process.execPath, [ENTRY, 'start', '--data', data], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  child.stdout.resume();
  let said = '';
  const up = new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      said += chunk.toString();
      if (said.includes('every listener accepts') && said.includes('panel ')) resolve();
    });
    child.once('exit', () => reject(new Error(said)));
  });
  await up;
  const portOf = (name) => Number(new RegExp(`${name} +mqtts://127.0.0.1:([0-9]+)`).exec(said)?.[1]);
  return { child, exited, ports: { devices: portOf('devices'), panel: portOf('panel') } };
}

async function motte(args) {
  const child = spawn(process.execPath, [ENTRY, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`motte ${args.join(' ')} ended with ${code}`);
}

function parseOptions() {
  try {
    const texts = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, { type: 'string' }]));
    const { values } = parseArgs({ options: texts });
    const numbers = Object.entries(NUMBERS).map(([name, preset]) => [name, Number(values[name] ?? preset)]);
    return numbers.every(([, value]) => Number.isInteger(value) && value > 0) ? Object.fromEntries(numbers) : undefined;
  } catch {
    return undefined;
  }
}

if (process.argv[2] === '--flood') {
  const [port, rate, ca] = process.argv.slice(3);
  await runFlood(Number(port), Number(rate), readFileSync(ca));
} else {
  process.exitCode = await main();
}
