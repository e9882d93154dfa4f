// Devices of another authority that revokes them: its lists, by file and by address, replaced under the running program. Lists and
// certificates are made by OpenSSL; whoever is connected, by whatever transport, is out within a second of the list being read.

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { openAdmin } from '@motte/admin';
import { connectClient, type MqttClient, type OpenTransport, tlsTransport, webSocketTransport } from '@motte/client';
import { parseStatusIssuer, readRevocationList, splitLists } from '@motte/pki/status';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { createTestAuthority, type Pair, type TestAuthority } from '../fixtures/certificates.ts';
import { type ListOptions, listDer, makeList, serialOf } from '../fixtures/revocation.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-foreign-revocation-'));
const data = join(folder, 'data');
const yaml = join(folder, 'motte.yaml');
const clients: MqttClient[] = [];
const pairs = new Map<string, Pair>();
let plant: TestAuthority;
let vendor: TestAuthority;
let server: Server;
let vendorList: Buffer;
let ownCa: string;
let broker: Started;
let ports: Record<string, number> = {};
let number = 0;

const put = (name: string, text: string | Buffer): void => writeFileSync(join(folder, name), text);
const list = (of: TestAuthority, options: ListOptions = {}): string =>
  makeList(of.issuing, { number: ++number, ...options });
const serial = (name: string): string => serialOf(pairs.get(name)?.cert ?? '');

function configure(further = ''): void {
  const { port } = server.address() as AddressInfo;
  writeFileSync(
    yaml,
    `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0", clientCa: [plant, vendor] }
  - { name: web, url: "wss://127.0.0.1:0/mqtt", clientCa: [plant, vendor] }
  - { name: own, url: "mqtts://127.0.0.1:0" }
tls:
  clientCa:
    - { id: plant, file: plant.pem, roles: [device] }
    - { id: vendor, file: vendor.pem, roles: [device] }
  crl:
    - { ca: plant, file: plant.crl }
    - { ca: vendor, url: "http://127.0.0.1:${port}/vendor.crl" }
console: off
log: { shape: json }
${further}`,
  );
}

async function start(): Promise<void> {
  broker = await startBroker(data, ['--config', yaml]);
  const { listeners } = await openAdmin(data).status();
  ports = Object.fromEntries(listeners.map(({ name, url }) => [name, Number(/:([0-9]+)/.exec(url.slice(7))?.[1])]));
}

async function end(): Promise<void> {
  for (const client of clients.splice(0)) client.destroy();
  broker.child.kill('SIGTERM');
  await broker.exited;
}

beforeAll(async () => {
  plant = createTestAuthority('Plant');
  vendor = createTestAuthority('Vendor');
  for (const name of ['pump-1', 'pump-2', 'pump-3']) pairs.set(name, plant.issue(name, { subjectAltName: '' }));
  pairs.set('valve-1', vendor.issue('valve-1', { subjectAltName: '' }));
  vendorList = listDer(list(vendor));
  server = createServer((_request, response) => response.end(vendorList)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  mkdirSync(data);
  put('plant.pem', plant.ca);
  put('vendor.pem', vendor.ca);
  put('plant.crl', list(plant));
  configure();
  await start();
  await motte(['device', 'add', 'mine', '--out', join(folder, 'mine'), '--data', data]);
  ownCa = readFileSync(join(folder, 'mine', 'ca.crt'), 'utf8');
}, 60_000);
afterAll(async () => {
  await end();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const pairOf = (name: string) => ({ ca: ownCa, ...(pairs.get(name) as Pair) });
const mqtts = (name: string) => tlsTransport({ host: '127.0.0.1', port: ports['devices'] ?? 0, ...pairOf(name) });
const wss = (name: string) => webSocketTransport({ url: `wss://localhost:${ports['web']}/mqtt`, ...pairOf(name) });
const resumed = (name: string, session: Buffer | undefined, keep: (ticket: Buffer) => void): OpenTransport => {
  return () =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: ports['devices'] ?? 0, ...pairOf(name) };
      const socket = connectTls({ ...options, ...(session === undefined ? {} : { session }) });
      socket.on('session', keep);
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        if (session === undefined || socket.isSessionReused()) resolve(socket);
        else reject(new Error('not resumed'));
      });
    });
};

async function connect(transport: OpenTransport, clientId: string): Promise<MqttClient> {
  const client = await connectClient({ transport, clientId });
  clients.push(client);
  return client;
}

const refusedWith = (transport: OpenTransport, clientId: string): Promise<void> =>
  expect(connectClient({ transport, clientId })).rejects.toMatchObject({ code: 0x87 });

interface Line {
  readonly time: string;
  readonly event?: string;
  readonly [field: string]: unknown;
}

const log = (): Line[] => {
  const text = broker.out();
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
};

/** The last event of that name after `count` lines of the log. */
const event = async (name: string, count: number): Promise<Line> => {
  const found = () =>
    log()
      .slice(count)
      .find((line) => line.event === name);
  await expect.poll(found, { timeout: 10_000 }).toBeDefined();
  return found() as Line;
};

/** What `motte status` has to say of revocation. */
const findings = async (): Promise<string> => {
  const { findings: all } = await openAdmin(data).status();
  return all.flatMap(({ subject, why: text }) => (subject === 'revocation' ? [text] : [])).join('\n');
};
const why = async (name: string): Promise<string> => (await motte(['why', name, '--data', data])).out;

async function reload(): Promise<string> {
  const count = log().length;
  broker.child.kill('SIGHUP');
  const said = () =>
    log()
      .slice(count)
      .find(({ msg }) => /was read again|configuration stays/.test(String(msg)));
  await expect.poll(said, { timeout: 10_000 }).toBeDefined();
  return JSON.stringify(said());
}

describe('a list that is replaced while devices are connected', () => {
  it('ends whoever it names, on every transport, within a second of being read, and lets nobody of them in again', async () => {
    let ticket: Buffer | undefined;
    const first = await connect(
      resumed('pump-1', undefined, (got) => (ticket = got)),
      'pump-1/first',
    );
    await expect.poll(() => ticket).toBeDefined();
    await first.disconnect();
    const back = (): OpenTransport => resumed('pump-1', ticket, () => undefined);
    const ways = [
      await connect(mqtts('pump-1'), 'pump-1'),
      await connect(wss('pump-1'), 'pump-1/web'),
      await connect(back(), 'pump-1/resumed'),
    ];
    const other = await connect(mqtts('pump-2'), 'pump-2');
    const away = await connectClient({
      transport: mqtts('pump-1'),
      clientId: 'pump-1/away',
      properties: { sessionExpiryInterval: 3_600 },
    });
    await away.disconnect();
    const count = log().length;
    put('plant.crl', list(plant, { revoked: [serial('pump-1')] }));
    const gone = await Promise.all(ways.map(({ closed }) => closed));
    expect(gone.map(({ code }) => code)).toEqual([0x98, 0x98, 0x98]);
    const [learned, ended] = [await event('revocation.list-read', count), await event('device.revoked', count)];
    expect(ended).toMatchObject({ connections: 3, sessions: 4 });
    const { clients: rows } = await openAdmin(data).clients();
    expect(rows.map(({ identity }) => identity)).toEqual(['pump-2@ca:plant']);
    expect(Date.parse(ended.time) - Date.parse(learned.time)).toBeLessThan(1_000);
    for (const transport of [mqtts('pump-1'), wss('pump-1'), back()]) await refusedWith(transport, 'pump-1');
    expect(await why('pump-1')).toContain('the certificate of pump-1 was revoked');
    await other.ping();
  }, 60_000);

  it('by an address as well, once it is fetched', async () => {
    const live = await connect(mqtts('valve-1'), 'valve-1');
    const count = log().length;
    vendorList = listDer(list(vendor, { revoked: [serial('valve-1')] }));
    // With another CA every list is looked at anew, whether its time has come or not.
    put('vendor.pem', vendor.ca + createTestAuthority('Vendor two').ca);
    await reload();
    expect((await live.closed).code).toBe(0x98);
    await event('device.revoked', count);
    await refusedWith(mqtts('valve-1'), 'valve-1');
  }, 60_000);
});

describe('a list that cannot be used', () => {
  it('changes nothing, is an event, and shows in `motte status` until it is mended', async () => {
    const good = list(plant, { revoked: [serial('pump-1')] });
    for (const [text, reason] of [
      [good.slice(0, -50), 'or a part of one'],
      [list(vendor), 'the list of another CA'],
      [list(plant, { number: 1 }), 'older than'],
    ] as const) {
      const count = log().length;
      put('plant.crl', text);
      expect(await event('revocation.list-refused', count)).toMatchObject({ why: expect.stringContaining(reason) });
      expect(await findings()).toContain(reason);
      expect((await motte(['status', '--data', data])).exit).toBe(1);
      await refusedWith(mqtts('pump-1'), 'pump-1');
      await (await connect(mqtts('pump-2'), 'pump-2/again')).disconnect();
    }
    put('plant.crl', good);
    await expect.poll(findings, { timeout: 10_000 }).toBe('');
  }, 60_000);

  it('at a reload that names it refuses the reload', async () => {
    configure();
    writeFileSync(yaml, readFileSync(yaml, 'utf8').replace('plant.crl', 'nowhere.crl'));
    expect(await reload()).toContain('MOT-0414');
    configure();
    expect(await reload()).toContain('was read again');
    expect(await findings()).toBe('');
  }, 60_000);
});

describe('a list that has ended', () => {
  const ended = { thisUpdate: new Date(Date.now() - 7_200_000), nextUpdate: new Date(Date.now() - 3_600_000) };

  it('keeps newcomers of that authority out, with the reason, and lets those who are there stay', async () => {
    const live = await connect(mqtts('pump-2'), 'pump-2');
    const count = log().length;
    put('plant.crl', list(plant, { ...ended, revoked: [serial('pump-1')] }));
    await event('revocation.stale', count);
    await refusedWith(mqtts('pump-3'), 'pump-3');
    const text = await why('pump-3');
    expect(text).toContain('the revocation list of CN=Plant issuing has ended');
    expect(text).toContain('revocation.stale');
    expect(text).toContain('Fetch a newer revocation list');
    expect(await findings()).toContain('has ended');
    await live.ping();
  }, 60_000);

  it('with a waiver lets them in, but for those that it names', async () => {
    configure('revocation: { stale: accept }\nwaivers: { revocation.stale: "a test" }\n');
    expect(await reload()).toContain('was read again');
    await (await connect(mqtts('pump-3'), 'pump-3')).disconnect();
    await refusedWith(mqtts('pump-1'), 'pump-1');
    expect(await findings()).toContain('has ended');
    const shown = await motte(['config', 'show', '--data', data, '--config', yaml]);
    expect(shown.out).toMatch(/stale: accept #.*weaker than the default \(refuse-new\)/);
  }, 60_000);

  it('or is not there at the start, does not keep the broker from starting', async () => {
    await end();
    rmSync(join(folder, 'plant.crl'));
    configure();
    await start();
    await refusedWith(mqtts('pump-3'), 'pump-3');
    expect(await why('pump-3')).toContain('there is no revocation list of plant');
    const count = log().length;
    put('plant.crl', list(plant));
    await event('revocation.list-read', count);
    await (await connect(mqtts('pump-3'), 'pump-3')).disconnect();
  }, 60_000);
});

it('a list that names a device while the broker is down ends what it left, before anybody is let in', async () => {
  const properties = { sessionExpiryInterval: 3_600 };
  const away = await connectClient({ transport: mqtts('pump-3'), clientId: 'pump-3', cleanStart: false, properties });
  await away.subscribe(['devices/pump-3/down/#']);
  await away.disconnect();
  await end();
  put('plant.crl', list(plant, { revoked: [serial('pump-3')] }));
  await start();
  expect(log().find((line) => line.event === 'device.revoked')).toMatchObject({
    identity: 'pump-3@ca:plant',
    why: 'the certificate of pump-3 was revoked',
    sessions: 1,
  });
  expect((await openAdmin(data).clients()).clients).toEqual([]);
}, 60_000);

it('a list that another Motte writes of its devices is one that can be used', async () => {
  await motte(['device', 'revoke', 'mine', '--data', data]);
  await motte(['ca', 'crl', '--out', join(folder, 'own.crl'), '--data', data]);
  const issuer = parseStatusIssuer(readFileSync(join(data, 'pki', 'ca', 'issuing.crt'), 'utf8'));
  const lists = splitLists(readFileSync(join(folder, 'own.crl')));
  const [list] = await Promise.all(lists.map((der) => readRevocationList(der, [issuer])));
  const mine = serialOf(readFileSync(join(folder, 'mine', 'mine.crt'), 'utf8'));
  expect(list?.revoked.has(mine.replace(/^0+/, ''))).toBe(true);
}, 60_000);
