// Devices of another authority, taken away by name: what this broker did not certify it bars, at once on every connection, and a
// device of the same name that it did certify is nobody else's.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { connectClient, type MqttClient, tlsTransport, webSocketTransport } from '@motte/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { createTestAuthority, type Pair } from '../fixtures/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-foreign-device-'));
const data = join(folder, 'data');
const at = (name: string) => join(folder, name);
const pairs = new Map<string, Pair>();
const clients: MqttClient[] = [];
let ownCa: string;
let broker: Started;
let ports: Record<string, number> = {};

const run = (...args: readonly string[]) => motte([...args, '--data', data], folder);

async function start(): Promise<void> {
  broker = await startBroker(data);
  const { listeners } = await openAdmin(data).status();
  ports = Object.fromEntries(listeners.map(({ name, url }) => [name, Number(/:([0-9]+)/.exec(url.slice(7))?.[1])]));
}

async function end(): Promise<void> {
  for (const client of clients.splice(0)) client.destroy();
  broker.child.kill('SIGTERM');
  await broker.exited;
}

beforeAll(async () => {
  const plant = createTestAuthority('Plant');
  const vendor = createTestAuthority('Vendor');
  for (const name of ['pump-1', 'pump-2']) pairs.set(name, plant.issue(name, { subjectAltName: '' }));
  pairs.set('valve-1', vendor.issue('valve-1', { subjectAltName: '' }));
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(at('plant.pem'), plant.ca);
  writeFileSync(at('vendor.pem'), vendor.ca);
  writeFileSync(
    join(data, 'motte.yaml'),
    `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0", clientCa: [plant, vendor] }
  - { name: web, url: "wss://127.0.0.1:0/mqtt", clientCa: [plant, vendor] }
  - { name: own, url: "mqtts://127.0.0.1:0" }
tls:
  clientCa:
    - { id: plant, file: ${at('plant.pem')}, roles: [device] }
    - { id: vendor, file: ${at('vendor.pem')} }
console: off
enrol: off
`,
  );
  await start();
  // One of the same name, by this broker's own authority.
  await run('device', 'add', 'pump-1', '--out', at('mine'));
  ownCa = readFileSync(join(folder, 'mine', 'ca.crt'), 'utf8');
  const [cert, key] = ['crt', 'key'].map((end) => readFileSync(join(folder, 'mine', `pump-1.${end}`), 'utf8'));
  pairs.set('mine', { cert: cert ?? '', key: key ?? '' } as Pair);
}, 60_000);
afterAll(async () => {
  await end();
  rmSync(folder, { recursive: true, force: true });
});

async function connect(who: string, listener: 'devices' | 'web' | 'own', clientId: string): Promise<MqttClient> {
  const pair = { ca: ownCa, ...(pairs.get(who) as Pair) };
  const transport =
    listener === 'web'
      ? webSocketTransport({ url: `wss://localhost:${ports['web']}/mqtt`, ...pair })
      : tlsTransport({ host: '127.0.0.1', port: ports[listener] ?? 0, ...pair });
  const client = await connectClient({ transport, clientId, properties: { sessionExpiryInterval: 600 } });
  clients.push(client);
  return client;
}
const isRefused = (...given: Parameters<typeof connect>) =>
  expect(connect(...given)).rejects.toMatchObject({ code: 0x87 });
const isRegistered = async (name: string, ca: string) => (await run('device', 'show', name, '--ca', ca)).exit === 0;

it('one that was never registered is barred: all it has ends at once, its namesake notices nothing', async () => {
  const lost = [await connect('pump-1', 'devices', 'pump-1/a'), await connect('pump-1', 'web', 'pump-1/b')];
  const stays = await connect('mine', 'own', 'pump-1/c');
  const ends = lost.map((client) => client.closed);
  const revoked = await run('device', 'revoke', 'pump-1', '--ca', 'plant', '--json');
  expect(revoked).toMatchObject({ exit: 0, err: '' });
  const document = JSON.parse(revoked.out) as { ms: number };
  expect(document).toMatchObject({
    name: 'pump-1',
    ca: 'plant',
    registered: false,
    ended: { connections: 2, sessions: 2 },
  });
  expect(document.ms).toBeLessThan(1_000);
  await Promise.all(ends);
  await isRefused('pump-1', 'devices', 'pump-1/a');
  expect((await run('why', 'last')).out).toContain('pump-1 is disabled in the registry');
  await stays.publish('devices/pump-1/up/t', '1', { qos: 1 });
  expect((await run('device', 'show', 'pump-1')).out).toMatch(/state +active/);
  expect((await run('device', 'show', 'pump-1', '--ca', 'plant')).out).toMatch(/proven by +a certificate of plant/);
});

it('a bar holds over a restart, and forgetting the device lifts it where its authority has roles', async () => {
  await end();
  await start();
  await isRefused('pump-1', 'devices', 'pump-1/a');
  const removed = await run('device', 'remove', 'pump-1', '--ca', 'plant');
  expect(removed).toMatchObject({ exit: 0, err: '', out: expect.stringContaining('may come again') });
  expect(await isRegistered('pump-1', 'plant')).toBe(false);
  await connect('pump-1', 'devices', 'pump-1/a');
});

it('a registered one is forgotten with all it has', async () => {
  expect(await run('device', 'add', 'valve-1', '--ca', 'vendor')).toMatchObject({ exit: 0, err: '' });
  const client = await connect('valve-1', 'devices', 'valve-1');
  const ended = client.closed;
  for (const verb of ['revoke', 'remove', 'show']) {
    expect(await run('device', verb, 'valve-1')).toMatchObject({
      exit: 1,
      err: expect.stringMatching(
        /valve-1, certified here \(MOT-0603\)\n {2}the authority vendor has one of this name: add --ca vendor\n$/,
      ),
    });
  }
  const removed = await run('device', 'remove', 'valve-1', '--ca', 'vendor', '--json');
  expect(JSON.parse(removed.out)).toMatchObject({ registered: true, ended: { connections: 1, sessions: 1 } });
  await ended;
  await isRefused('valve-1', 'devices', 'valve-1');
  expect(await run('device', 'remove', 'valve-1', '--ca', 'vendor')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('valve-1 of vendor (MOT-0603)'),
  });
});

it('one that its authority let in loses its connection when its entry is removed', async () => {
  expect(await run('device', 'add', 'pump-2', '--ca', 'plant')).toMatchObject({ exit: 0 });
  const client = await connect('pump-2', 'web', 'pump-2');
  const removed = await run('device', 'remove', 'pump-2', '--ca', 'plant', '--json');
  expect(JSON.parse(removed.out)).toMatchObject({ ended: { connections: 1, sessions: 1 } });
  await client.closed;
  await connect('pump-2', 'web', 'pump-2');
});

it('one that is forgotten while no broker runs goes on with what it had where its authority has roles, as the command says', async () => {
  expect(await run('device', 'add', 'pump-2', '--ca', 'plant')).toMatchObject({ exit: 0 });
  const client = await connect('pump-2', 'devices', 'pump-2');
  await client.disconnect();
  await end();
  const { out } = await run('device', 'remove', 'pump-2', '--ca', 'plant');
  expect(out).toContain('ends unless its authority has `roles`');
  await start();
  const { clients: rows } = await openAdmin(data).clients();
  expect(rows).toContainEqual(expect.objectContaining({ clientId: 'pump-2', state: 'away' }));
});

it('while no broker runs the bar is written, and keeps out from the next start on', async () => {
  await end();
  expect((await run('device', 'revoke', 'pump-2', '--ca', 'plant')).out).toContain('no broker runs here');
  await start();
  await isRefused('pump-2', 'devices', 'pump-2');
});

it.each([
  [['revoke', 'pump-9', '--ca', 'nobody'], 'MOT-0413'],
  [['revoke', 'pump-1', '--ca', 'motte'], 'MOT-0413'],
  [['remove', 'pump-1', '--ca', 'motte'], 'MOT-0413'],
  [['revoke', 'a/b', '--ca', 'plant'], 'MOT-0433'],
  [['revoke', 'pump-1', '--ca', 'plant', '--reason', 'keyCompromise'], 'MOT-0002'],
  [['revoke', 'pump-1', '--ca', 'plant', '--serial', '00'], 'MOT-0002'],
  [['show', 'pump-9', '--ca', 'plant'], 'MOT-0603'],
])('device %j: %s', async (args, code) => {
  const { exit, err } = await run('device', ...args);
  expect(exit).not.toBe(0);
  expect(err).toContain(`(${code})`);
  expect((await run('device', 'show', 'pump-1')).out).toMatch(/state +active/);
});
