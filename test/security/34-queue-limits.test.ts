// Queues that nobody empties: every one has an end, per session, per identity and over all; what comes newly is what goes, it is
// counted and told, the publisher never notices, and who reads loses nothing for the sake of who does not.

import { encode } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import type { Identity } from '../../packages/broker/src/ports/identity.ts';
import { type RawClient, startTestBroker, type TestBroker } from '../harness/index.ts';

const NOTHING = new Uint8Array(0);
const KEEPING = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
const device = (clientId: string): Identity => ({
  realm: 'ca:motte',
  name: clientId.split('/', 1)[0] ?? '',
  kind: 'device',
  roles: [],
});

async function away(broker: TestBroker, clientId: string, filter = 't'): Promise<void> {
  const client = await broker.connect(clientId, KEEPING);
  await client.subscribe(filter);
  await client.cut();
}

async function send(publisher: RawClient, count: number, topic = 't'): Promise<void> {
  for (let n = 0; n < count; n++) expect(await publisher.deliver(topic, `${n}`)).toBe(0);
}

function dropped(broker: TestBroker): string[] {
  return broker.events.flatMap((event) => (event.name === 'session.dropped-message' ? [event.why] : []));
}

const upTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n}`);

describe('a queue that nobody empties', () => {
  it('of one session: the newest messages are given up, the oldest are kept', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 10 } });
    await away(broker, 's');
    await send(await broker.connect('p'), 25);
    expect(dropped(broker)).toEqual(new Array(15).fill('its queue is full'));
    expect(broker.counters.messagesDropped).toBe(15);
    expect(await (await broker.connect('s', KEEPING)).takeMessages(10)).toEqual(upTo(10));
  });

  it('of one session in bytes', async () => {
    const broker = startTestBroker({ limits: { queueBytesMax: 3_000 } });
    await away(broker, 's');
    const publisher = await broker.connect('p');
    for (let n = 0; n < 10; n++) await publisher.deliver('t', 'x'.repeat(999));
    expect(dropped(broker)).toHaveLength(7);
  });

  it('of all sessions of one identity: those of others go on', async () => {
    const broker = startTestBroker({ identities: device, limits: { queuedBytesPerIdentityMax: 12_000 } });
    for (const clientId of ['pump/a', 'pump/b', 'valve']) await away(broker, clientId);
    const publisher = await broker.connect('p');
    for (let n = 0; n < 10; n++) expect(await publisher.deliver('t', `${n}`.padEnd(999))).toBe(0);
    expect(dropped(broker)).toEqual(new Array(8).fill('the queues of its identity are full'));
    const got = await (await broker.connect('valve', KEEPING)).takeMessages(10);
    expect(got.map((payload) => payload.trim())).toEqual(upTo(10));
  });

  it('of all sessions: who reads loses nothing, at any QoS', async () => {
    const broker = startTestBroker({ identities: device, limits: { queuedMessagesMax: 20 } });
    for (let n = 0; n < 5; n++) await away(broker, `away${n}`);
    const publisher = await broker.connect('p');
    const readers = [await broker.connect('r1', KEEPING), await broker.connect('r2')];
    for (const [at, reader] of readers.entries()) await reader.subscribe({ filter: 't', qos: at === 0 ? 2 : 1 });
    for (let n = 0; n < 30; n++) {
      expect(await publisher.deliver('t', `${n}`, { qos: n % 2 === 0 ? 1 : 2 })).toBe(0);
      for (const reader of readers) expect(await reader.takeMessages(1)).toEqual([`${n}`]);
    }
    expect(new Set(dropped(broker))).toEqual(new Set(['the queues of all are full']));
    expect(dropped(broker)).toHaveLength(5 * 30 - 20);
    await broker.advance(250);
    expect(broker.counters.queuedMessages).toBe(20);
  });

  it('sessions of one identity end with their limit; who has one comes back, and the anonymous are not one', async () => {
    const broker = startTestBroker({ identities: device, limits: { sessionsPerIdentityMax: 3 } });
    for (const id of ['a', 'b', 'c']) await broker.connect(`pump/${id}`, KEEPING);
    const fourth = broker.open(5);
    await fourth.connect('pump/d');
    expect(fourth.connack?.reasonCode).toBe(0x97);
    expect(broker.events.at(-1)).toMatchObject({ name: 'peer.refused', rule: 'limits.sessionsPerIdentityMax' });
    await broker.connect('pump/a', KEEPING);
    await broker.connect('pump/b', { cleanStart: true });
    await broker.connect('valve');
    const anonymous = startTestBroker({ limits: { sessionsPerIdentityMax: 3 } });
    for (let n = 0; n < 10; n++) await anonymous.connect(`c${n}`);
  });
});

describe('a message that waits for its session', () => {
  it('longer than queueAgeSecondsMax is given up and counted; younger ones come, without an expiry of ours', async () => {
    const broker = startTestBroker({ limits: { queueAgeSecondsMax: 60 } });
    await away(broker, 's');
    const publisher = await broker.connect('p');
    await send(publisher, 3);
    await broker.advance(50_000);
    await publisher.deliver('t', 'young');
    await publisher.deliver('t', 'expires', { properties: { messageExpiryInterval: 300 } });
    await broker.advance(20_000);
    expect(broker.counters.messagesExpired).toBe(3);
    expect(broker.counters.queuedMessages).toBe(5);
    await broker.advance(250);
    expect(broker.counters.queuedMessages).toBe(2);
    const back = await broker.connect('s', KEEPING);
    expect((await back.expectMessage('t', 'young')).properties).toEqual({});
    // Its own interval goes on as if there were no other.
    expect((await back.expectMessage('t', 'expires')).properties.messageExpiryInterval).toBeGreaterThan(250);
    await back.expectNothing();
  });

  it('does not wait longer for a client that is there and slow', async () => {
    const broker = startTestBroker({ limits: { queueAgeSecondsMax: 60, inFlightMax: 2 } });
    const publisher = await broker.connect('p');
    for (const [clientId, fields] of [
      ['brief', {}],
      ['kept', KEEPING],
    ] as const) {
      const slow = await broker.connect(clientId, fields);
      await slow.subscribe(clientId);
      await send(publisher, 5, clientId);
      await broker.advance(61_000);
      // What was sent is not taken back, what waited is.
      expect(await slow.takeMessages(2)).toEqual(['0', '1']);
      await slow.expectNothing();
      await publisher.deliver(clientId, 'new');
      await slow.expectMessage(clientId, 'new');
    }
    expect(broker.counters.messagesExpired).toBe(6);
  });

  it('waits for ever where no age is set', async () => {
    const broker = startTestBroker();
    await away(broker, 's');
    await send(await broker.connect('p'), 3);
    await broker.advance(599_000);
    expect(await (await broker.connect('s', KEEPING)).takeMessages(3)).toEqual(upTo(3));
  });
});

describe('more QoS 2 messages than are kept for a client that does not release them', () => {
  it('end its connection, but not before it was told of those that are: it gets on when it comes back', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 5 } });
    const KEPT = { version: 4, cleanStart: false } as const;
    let waiting = Array.from({ length: 12 }, (_, n) => n + 1);
    for (let connections = 1; waiting.length > 0; connections++) {
      expect(connections).toBeLessThan(5);
      const client = await broker.connect('p', KEPT);
      const frames = waiting.map((packetId) =>
        encode(
          {
            type: 'publish',
            topic: 't',
            payload: NOTHING,
            qos: 2,
            retain: false,
            dup: false,
            packetId,
            properties: {},
          },
          4,
        ),
      );
      client.sendBytes(Buffer.concat(frames));
      const told = (await client.receiveAll()).flatMap((packet) => (packet.type === 'pubrec' ? [packet.packetId] : []));
      expect(told).toEqual(waiting.slice(0, 5));
      expect(client.closed).toBe(waiting.length > 5);
      const next = client.closed ? await broker.connect('p', KEPT) : client;
      for (const packetId of told) next.ack('pubrel', packetId);
      for (const packetId of told) expect(await next.receive('pubcomp')).toMatchObject({ packetId });
      await next.cut();
      waiting = waiting.slice(5);
    }
    expect(broker.counters.assertions).toBe(0);
  });
});
