// OpenSSL's responder asked by the running program about the devices of an authority: good, revoked, gone, silent.

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { connectClient, type MqttClient, tlsTransport, webSocketTransport } from '@motte/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { createTestAuthority, type Pair, type TestAuthority } from '../fixtures/certificates.ts';
import { OpensslResponder, responderOf } from '../fixtures/ocsp.ts';
import { makeList, serialOf } from '../fixtures/revocation.ts';
import { describeWith } from './counterparts.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-ocsp-interop-'));
const data = join(folder, 'data');
const yaml = join(folder, 'motte.yaml');
const file = (name: string): string => join(folder, name);

describeWith(['openssl'], "OpenSSL's responder", () => {
  const pairs = new Map<string, Pair>();
  const clients: MqttClient[] = [];
  let plant: TestAuthority;
  let signer: Pair;
  let responder: OpensslResponder;
  let broker: Started;
  let ports: Record<string, number>;

  const serial = (name: string): string => serialOf(pairs.get(name)?.cert ?? '');
  const serials = (...names: string[]): string[] => names.map(serial);

  function configure(responders: string, further = ''): void {
    writeFileSync(
      yaml,
      `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0", clientCa: [plant, motte] }
  - { name: web, url: "wss://127.0.0.1:0/mqtt", clientCa: [plant] }
tls:
  clientCa: [{ id: plant, file: plant.pem, roles: [device] }]
  ocsp: [${responders}]
${further}
console: off
log: { shape: json }
`,
    );
  }

  beforeAll(async () => {
    plant = createTestAuthority('Plant');
    signer = responderOf(plant.issuing);
    responder = new OpensslResponder(plant.issuing, await freePort(), { signer });
    const naming = { subjectAltName: '', extensions: [`authorityInfoAccess=OCSP;URI:${responder.url}`] };
    for (const name of ['pump-1', 'pump-2', 'pump-3', 'pump-4']) pairs.set(name, plant.issue(name, naming));
    await responder.say({ good: serials('pump-1', 'pump-2', 'pump-4') });
    mkdirSync(data);
    writeFileSync(file('plant.pem'), plant.ca);
    configure(`{ ca: plant, url: "${responder.url}" }`);
    broker = await startBroker(data, ['--config', yaml]);
    const { listeners } = await openAdmin(data).status();
    ports = Object.fromEntries(listeners.map(({ name, url }) => [name, Number(/:([0-9]+)/.exec(url.slice(7))?.[1])]));
    await motte(['device', 'add', 'mine', '--out', file('mine'), '--data', data]);
    pairs.set('mine', {
      cert: readFileSync(file('mine/mine.crt'), 'utf8'),
      key: readFileSync(file('mine/mine.key'), 'utf8'),
    });
  }, 60_000);
  afterAll(async () => {
    for (const client of clients) client.destroy();
    broker.child.kill('SIGTERM');
    await broker.exited;
    await responder.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const pairOf = (name: string) => ({ ca: readFileSync(file('mine/ca.crt'), 'utf8'), ...(pairs.get(name) as Pair) });
  const mqtts = (name: string) => tlsTransport({ host: '127.0.0.1', port: ports['devices'] ?? 0, ...pairOf(name) });
  const wss = (name: string) => webSocketTransport({ url: `wss://localhost:${ports['web']}/mqtt`, ...pairOf(name) });

  async function connect(name: string, clientId = name, transport = mqtts(name)): Promise<MqttClient> {
    const client = await connectClient({ transport, clientId });
    clients.push(client);
    return client;
  }

  const refused = (name: string): Promise<void> => expect(connect(name)).rejects.toMatchObject({ code: 0x87 });
  const why = async (name: string): Promise<string> => (await motte(['why', name, '--data', data])).out;
  /** What `motte status` has to say of revocation. */
  const findings = async (): Promise<string> => {
    const { findings: all } = await openAdmin(data).status();
    return all.flatMap(({ subject, why: text }) => (subject === 'revocation' ? [text] : [])).join('\n');
  };

  async function reload(): Promise<void> {
    const before = broker.out().length;
    broker.child.kill('SIGHUP');
    await expect.poll(() => broker.out().slice(before), { timeout: 10_000 }).toContain('was read again');
  }

  it('says who is good; whom it does not know, or has revoked, is kept out', async () => {
    await (await connect('pump-1')).disconnect();
    await (await connect('pump-1', 'pump-1/web', wss('pump-1'))).disconnect();
    await refused('pump-3');
    expect(await why('pump-3')).toContain('the responder does not know the certificate of pump-3');
    await responder.say({ good: serials('pump-1', 'pump-2'), revoked: serials('pump-4') });
    await refused('pump-4');
    expect(await why('pump-4')).toContain('the certificate of pump-4 was revoked');
    await (await connect('mine')).disconnect();
    expect(await findings()).toBe('');
  }, 60_000);

  it('revokes a device that is connected: it is out on every transport within a second of the answer', async () => {
    const [live, web, other] = [
      await connect('pump-1'),
      await connect('pump-1', 'pump-1/web', wss('pump-1')),
      await connect('pump-2'),
    ];
    await responder.say({ good: serials('pump-2'), revoked: serials('pump-1') });
    // Another entry: whoever is connected is asked about anew, without waiting for the time.
    configure(`{ ca: plant, url: "${responder.url}", refreshMinutes: 30 }`);
    await reload();
    expect((await Promise.all([live.closed, web.closed])).map(({ code }) => code)).toEqual([0x98, 0x98]);
    await other.ping();
    await refused('pump-1');
    expect(broker.out()).toContain('"event":"device.revoked"');
  }, 60_000);

  it('named by the certificate is asked where its host is listed, and nowhere else', async () => {
    const { host } = new URL(responder.url);
    configure(`{ ca: plant, hosts: ["ocsp.plant.example"] }`);
    await reload();
    await refused('pump-2');
    expect(await why('pump-2')).toContain('names no responder that may be asked');
    configure(`{ ca: plant, hosts: ["${host}"] }`);
    await reload();
    await (await connect('pump-2')).disconnect();
  }, 60_000);

  it('whose own certificate is on a list is not believed', async () => {
    writeFileSync(file('plant.crl'), makeList(plant.issuing, { revoked: [serialOf(signer.cert)] }));
    configure(`{ ca: plant, url: "${responder.url}" }]\n  crl: [{ ca: plant, file: plant.crl }`);
    await reload();
    await refused('pump-2');
    expect(await why('pump-2')).toContain('the certificate of the responder was revoked');
  }, 60_000);

  it('that does not answer keeps only those waiting who need it, and lets nobody in without a waiver', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    configure(`{ ca: plant, url: "${url}" }`);
    await reload();
    let isOver = false;
    const waiting = connect('pump-2').catch((fault: unknown) => fault);
    void waiting.then(() => (isOver = true));
    await expect.poll(() => sockets.length).toBe(1);
    await (await connect('mine')).disconnect();
    expect(isOver).toBe(false);
    expect(await waiting).toMatchObject({ code: 0x87 });
    expect(await why('pump-2')).toContain('is not known');
    expect(await findings()).toContain('no answer in 3 s');
    expect((await motte(['status', '--data', data])).exit).toBe(1);
    for (const socket of sockets) socket.destroy();
    silent.close();
    const waiver = 'revocation: { unanswered: accept }\nwaivers: { revocation.unanswered: "a test" }';
    configure(`{ ca: plant, url: "${url}" }`, waiver);
    await reload();
    await (await connect('pump-2')).disconnect();
    expect(await findings()).toContain('no answer');
  }, 60_000);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
