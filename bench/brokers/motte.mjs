// Motte from this clone, with authorisation and metrics on, as it is by default. Its own authority certifies the client.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from './broker.mjs';

const PACKAGE = fileURLToPath(new URL('../../packages/motte/', import.meta.url));
const PROGRAM = join(PACKAGE, 'bin/motte.js');
const DEVICE = 'bench'; // the generator's client ids are bench/…
const ROLE = 'lab';
const LONG_QUEUES = [
  'queueMessagesMax: 10000000, queueBytesMax: 17179869184, queuedBytesPerIdentityMax: 1099511627776',
  'queuedMessagesMax: 1000000000, queuedBytesMax: 1099511627776',
].join(', ');

/** @type {import('./broker.mjs').Broker} */
export const broker = {
  name: 'motte',

  version() {
    if (!existsSync(join(PACKAGE, 'dist/main.js'))) return undefined;
    return JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).version;
  },

  start: startMotte,
};

/** @param {{mqtt: number, mqtts: number}} ports @param {boolean} persistence */
function renderConfiguration(ports, persistence) {
  const waiver = '{ reason: "benchmark on loopback", owner: "bench", until: 2099-12-31 }';
  return [
    'listeners:',
    `  - { name: plain, url: "mqtt://127.0.0.1:${ports.mqtt}", authentication: none, role: ${ROLE}, waiver: ${waiver} }`,
    `  - { name: devices, url: "mqtts://127.0.0.1:${ports.mqtts}", role: ${ROLE}, waiver: ${waiver} }`,
    'console: off',
    `store: { kind: ${persistence ? 'level' : 'memory'} }`,
    // All clients of the generator that show a certificate show the same one; queues as they are in Mosquitto here.
    `limits: { sessionsPerIdentityMax: 1000000${persistence ? `, ${LONG_QUEUES}` : ''} }`,
    '',
  ].join('\n');
}

/** @param {import('./broker.mjs').StartOptions} options */
export async function startMotte({ directory, persistence }) {
  const ports = { mqtt: await freePort(), mqtts: await freePort() };
  const data = join(directory, 'data');
  const config = join(directory, 'motte.yaml');
  const out = join(directory, 'client');
  writeFileSync(config, renderConfiguration(ports, persistence));
  const common = ['--data', data, '--config', config];
  const { pid, stop } = await startProcess(process.execPath, [PROGRAM, 'start', ...common], {
    ports: Object.values(ports),
  });
  try {
    execFileSync(process.execPath, [PROGRAM, 'device', 'add', DEVICE, '--out', out, ...common], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (fault) {
    await stop();
    throw fault;
  }
  const tls = { ca: `${out}/ca.crt`, cert: `${out}/${DEVICE}.crt`, key: `${out}/${DEVICE}.key`, name: DEVICE };
  return { pid, ports, tls, stop };
}
