// A certificate that ends under a live connection: TLS has asked once and never asks again, so the broker has to. On every
// transport, after a full and after a resumed handshake; by a clock that the test owns.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connectClient, type MqttClient } from '@motte/client';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { createAccess } from '../../packages/broker/src/access/access.ts';
import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import { RefusalRing } from '../../packages/broker/src/observe/refusals.ts';
import type { ListenerConfig, TlsMaterial } from '../../packages/broker/src/ports/config.ts';
import { type Broker, createBroker } from '../../packages/broker/src/start.ts';
import { MemoryDirectory } from '../../packages/broker/src/testing/logins.ts';
import { createTestAuthority, type Pair, type TestAuthority } from '../fixtures/certificates.ts';
import { openTestListener, type TestListener } from '../fixtures/test-listener.ts';
import { bareConfig } from '../harness/bare-config.ts';
import { FakeClock, FakeGauge, SeededRandom } from '../harness/fake-clock.ts';

const REALM = 'ca:motte';
let authority: TestAuthority;
let material: TlsMaterial;
let pump: Pair;
let endMs: number;
beforeAll(() => {
  authority = createTestAuthority('Plant');
  material = { ...authority.server(), clientCa: authority.ca };
  pump = authority.issue('pump-1', { days: 5 });
  endMs = Date.parse(new X509Certificate(pump.cert).validTo);
});

let clock: FakeClock;
let broker: Broker;
let events: BrokerEvent[];
let ring: RefusalRing;
const opened: TestListener[] = [];
const clients: MqttClient[] = [];
const sockets: Duplex[] = [];
beforeEach(() => {
  clock = new FakeClock();
  // A day before the end.
  clock.advance(endMs - 86_400_000 - clock.nowMs());
  events = [];
  ring = new RefusalRing();
  broker = createBroker({
    config: bareConfig(),
    directory: new MemoryDirectory({
      ...{ realm: REALM, name: 'pump-1', kind: 'device', roles: ['device'], state: 'active', addedAtMs: 0 },
    }),
    trust: { number: 1, issuers: [{ pem: authority.issuing.cert, realm: REALM }] },
    clock,
    random: new SeededRandom(),
    gauge: new FakeGauge(),
    access: createAccess(),
    observers: [(event) => events.push(event), (event) => ring.observe(event)],
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  await broker.stop(0);
  for (const listener of opened.splice(0)) await listener.close();
});

async function open(config: Partial<ListenerConfig>): Promise<TestListener> {
  const listener = await openTestListener({
    material,
    config,
    onConnection: (stream, facts) => broker.accept(stream, facts),
  });
  opened.push(listener);
  return listener;
}

interface Way {
  readonly stream: Duplex;
  /** To come again with. */
  readonly session: Promise<Buffer>;
}

type Dial = (listener: TestListener, maxVersion: 'TLSv1.2' | 'TLSv1.3', session?: Buffer) => Promise<Way>;

const overTls: Dial = async (listener, maxVersion, session) => {
  const socket = listener.tls({ ca: authority.ca, ...pump, maxVersion, ...(session === undefined ? {} : { session }) });
  sockets.push(socket);
  const ticket = once(socket, 'session').then(([next]) => next as Buffer);
  await once(socket, 'secureConnect');
  return { stream: socket, session: ticket };
};

const overWebSocket: Dial = async (listener, maxVersion, session) => {
  const { stream: under, session: next } = await overTls(listener, maxVersion, session);
  const socket = new WebSocket(`wss://localhost:${listener.port}/mqtt`, 'mqtt', { createConnection: () => under });
  await once(socket, 'open');
  const stream = createWebSocketStream(socket);
  sockets.push(stream);
  return { stream, session: next };
};

async function connect(stream: Duplex, version: 4 | 5 = 5): Promise<MqttClient> {
  const client = await connectClient({ transport: async () => stream, clientId: 'pump-1', version, keepAlive: 0 });
  clients.push(client);
  return client;
}

/** The wall clock says this, and the broker looks. */
function setTo(ms: number): void {
  clock.advance(ms - clock.nowMs());
  broker.tick();
}

const WAYS: readonly (readonly [string, Partial<ListenerConfig>, Dial])[] = [
  ['mqtts', {}, overTls],
  ['wss', { name: 'web', scheme: 'wss', url: 'wss://127.0.0.1:0/mqtt', path: '/mqtt' }, overWebSocket],
];
const HANDSHAKES = WAYS.flatMap(([scheme, config, dial]) =>
  (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) =>
    [false, true].map((resumed) => ({ scheme, config, dial, version, resumed })),
  ),
);

describe.each(HANDSHAKES)('over $scheme and $version, resumed: $resumed', ({ config, dial, version, resumed }) => {
  async function arrive(listener: TestListener): Promise<Duplex> {
    const first = await dial(listener, version);
    if (!resumed) return first.stream;
    const client = await connect(first.stream);
    const session = await first.session;
    await client.disconnect();
    return (await dial(listener, version, session)).stream;
  }

  it('the connection ends with the certificate, not a millisecond before, and the broker says why', async () => {
    const listener = await open(config);
    const client = await connect(await arrive(listener));
    expect(broker.clients().at(-1)).toMatchObject({ tlsResumed: resumed, certificateDaysLeft: 1 });
    setTo(endMs - 1);
    await client.ping();
    setTo(endMs);
    expect(await client.closed).toMatchObject({ reason: 'not-authorized' });
    expect(ring.find('pump-1', 1)).toMatchObject([
      { layer: 'identity', rule: 'listeners.onExpiry', seen: 'DISCONNECT 0x87' },
    ]);
    expect(events.filter(({ name }) => name === 'broker.assertion')).toEqual([]);
  });

  it('with `onExpiry: warn` it stays, is told of once, and shown; nobody comes in anew', async () => {
    const listener = await open({ ...config, onExpiry: 'warn' });
    const first = await dial(listener, version);
    const client = await connect(first.stream);
    const session = await first.session;
    setTo(endMs);
    setTo(endMs + 1_000);
    await client.ping();
    expect(events.filter(({ name }) => name === 'client.flagged')).toEqual([
      expect.objectContaining({ rule: 'listeners.onExpiry', because: expect.stringContaining('has expired') }),
    ]);
    expect(broker.clients()).toMatchObject([{ certificateDaysLeft: -1, weakness: expect.stringContaining('expired') }]);
    expect(ring.find('last', 1)).toMatchObject([{ reason: 'success', seen: 'nothing: it is connected' }]);
    const again = dial(listener, version, resumed ? session : undefined).then(({ stream }) => connect(stream));
    await expect(again).rejects.toMatchObject({ reason: 'not-authorized' });
    expect(ring.find('pump-1', 1)).toMatchObject([{ because: expect.stringContaining('has expired') }]);
    await client.ping();
  });
});

it('an MQTT 3.1.1 client cannot be told, and is just closed', async () => {
  const listener = await open({});
  const client = await connect((await overTls(listener, 'TLSv1.3')).stream, 4);
  setTo(endMs);
  await client.closed;
  expect(ring.find('last', 1)).toMatchObject([{ seen: 'the connection closed' }]);
});
