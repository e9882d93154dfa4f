// The built program under pressure: a memory budget that is used up from the first moment, and an event loop that stands still.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { connectClient, tcpTransport } from '@motte/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { motte, type Started, startBroker } from '../testing/program.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder = '';
let broker: Started | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motte-overload-'));
});
afterEach(async () => {
  broker?.child.kill('SIGKILL');
  await broker?.exited;
  rmSync(folder, { recursive: true, force: true });
});

/** Starts it with these lines of configuration; gives the port of its plain listener. */
async function start(lines: string): Promise<number> {
  const listener = 'name: lab, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, waiver: "test"';
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(
    join(data, 'motte.yaml'),
    `listeners:\n  - { ${listener} }\nconsole: off\nlog: { shape: json }\n${lines}\n`,
  );
  broker = await startBroker(data);
  return Number(/:([0-9]+)$/.exec((await openAdmin(data).status()).listeners[0]?.url ?? '')?.[1]);
}

function isLogged(event: string, what: string): boolean {
  const isThere = (line: string) => line.includes(`"event":"${event}"`) && line.includes(`"what":"${what}"`);
  return broker?.out().split('\n').some(isThere) === true;
}

/** Waits for an event in the log. */
async function logged(event: string, what: string): Promise<void> {
  while (!isLogged(event, what)) await new Promise((resolve) => setTimeout(resolve, 50));
}

it('with its memory used up it lets nobody in, says so in its log and its status, and goes on', async () => {
  const port = await start('limits: { memoryBytesMax: 16777216 }');
  await logged('overload.entered', 'memory');
  const socket = connect(port, '127.0.0.1');
  const bytes: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => bytes.push(chunk)).on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  expect(bytes).toEqual([]);
  const { exit, out } = await motte(['status', '--data', join(folder, 'data')]);
  expect(exit).toBe(1);
  expect(out).toMatch(/memory: [0-9]+ % of 16 MiB \(limits\.memoryBytesMax\) is used: every new connection is refused/);
  const why = await motte(['why', 'last', '--data', join(folder, 'data')]);
  expect(why.out).toContain('limits.memoryBytesMax');
});

it('without a budget of its own has one of the machine, and all is well', async () => {
  await start('');
  const { counters, healthy } = await openAdmin(join(folder, 'data')).status();
  expect(healthy).toBe(true);
  expect(counters['memoryBytes']).toBeGreaterThan(1024 * 1024);
});

it('an event loop that stood still is seen, and those who are in and those who come are served all the same', async () => {
  const port = await start('admission: { lagMsMax: 100 }');
  const open = () => connectClient({ transport: tcpTransport({ host: '127.0.0.1', port }), keepAlive: 0 });
  const inside = await open();
  // A standstill in its first moments, before it watches itself, is nothing that it could see: then once more.
  while (!isLogged('overload.entered', 'event loop')) {
    broker?.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    broker?.child.kill('SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  expect((await inside.publish('t', new Uint8Array(1), { qos: 1 })).reason).toBe('no-matching-subscribers');
  const coming = await open();
  expect((await coming.publish('t', new Uint8Array(1), { qos: 1 })).reason).toBe('no-matching-subscribers');
  await Promise.all([inside.disconnect(), coming.disconnect()]);
});
