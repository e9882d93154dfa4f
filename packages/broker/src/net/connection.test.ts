import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { duplexPair, settle } from '../../../../test/harness/duplex-pair.ts';
import { bytesOf, frame, joined, startTestBroker, text, uint16 } from '../../../../test/harness/index.ts';

const CONNECT = frame(0x10, text('MQTT'), 4, 2, uint16(0), text('c'));
const SUBSCRIBE = frame(0x82, uint16(1), text('a'), 1);
const PUBLISH = frame(0x32, text('a'), uint16(5), 0x78);

/** Bytes in use after a collection; several, so that what is freed by callbacks is gone too. */
async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    await settle();
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('a connection', () => {
  it.each([1, 2, 3, 7, 1000])('understands chunks of %i bytes', async (size) => {
    const client = startTestBroker().open(4);
    const bytes = joined([CONNECT, SUBSCRIBE, PUBLISH, 'c0 00']);
    for (let at = 0; at < bytes.length; at += size) client.sendBytes(bytes.subarray(at, at + size));
    const types = (await client.receiveAll()).map((packet) => packet.type);
    expect(types[0]).toBe('connack');
    expect(types.slice(1).sort()).toEqual(['pingresp', 'puback', 'publish', 'suback']);
  });

  it('holds frames behind CONNECT back until the guards have spoken, however long that takes', async () => {
    let speak: () => void = () => undefined;
    const identity = { realm: 'test', name: 'x', kind: 'user', roles: [] } as const;
    const broker = startTestBroker({
      authenticate: () =>
        new Promise((resolve) => {
          speak = () => resolve({ allow: true, identity, data: undefined, expiresAtMs: 0 });
        }),
    });
    const client = broker.open(4);
    client.sendBytes(joined([CONNECT, SUBSCRIBE, PUBLISH]));
    client.sendBytes('c0 00');
    await client.expectNothing();
    speak();
    const types = (await client.receiveAll()).map((packet) => packet.type);
    expect(types[0]).toBe('connack');
    expect(types).toHaveLength(5);
  });

  it('goes on where it was after a peer that closed its side in the middle of a frame', async () => {
    const broker = startTestBroker();
    const [client, other] = [await broker.connect('c', { version: 4 }), await broker.connect('other', { version: 4 })];
    client.sendBytes(PUBLISH.subarray(0, 4));
    await client.cut();
    const again = await broker.connect('c', { version: 4 });
    again.sendBytes('c0 00');
    expect((await again.receive()).type).toBe('pingresp');
    await other.ping();
  });

  it('an error of the stream is the end of this connection alone', async () => {
    const broker = startTestBroker();
    const other = await broker.connect('other');
    const [ours, theirs] = duplexPair();
    broker.serve(theirs);
    ours.on('error', () => undefined);
    ours.write(CONNECT);
    await settle();
    expect(broker.clients()).toHaveLength(2);
    theirs.destroy(new Error('read ECONNRESET'));
    await settle();
    expect(broker.clients()).toHaveLength(1);
    await other.ping();
  });

  it('a peer that ends its side gets what it was owed, then the end', async () => {
    const broker = startTestBroker();
    const [ours, theirs] = duplexPair();
    broker.serve(theirs);
    const got: Buffer[] = [];
    let ended = false;
    ours.on('data', (chunk: Buffer) => got.push(chunk));
    ours.on('end', () => {
      ended = true;
    });
    ours.end(joined([CONNECT, 'c0 00']));
    await settle();
    expect(ended).toBe(true);
    expect(broker.clients()).toEqual([]);
  });
});

describe('a connection that is not read', () => {
  it('gives a packet that was begun before as much time as ever once it is read again', async () => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 64 * 1024 } });
    const [client, other] = [await broker.connect('c', { version: 4 }), await broker.connect('o', { version: 4 })];
    await client.subscribe({ filter: 'big', qos: 0 });
    client.sendBytes(PUBLISH.subarray(0, 4));
    await broker.advance(5_000);
    client.pause();
    for (let n = 0; n < 60; n++) other.publish('big', 'x'.repeat(4_000));
    await other.ping();
    client.sendBytes(PUBLISH.subarray(4, 5));
    await broker.advance(60_000);
    client.resume();
    await broker.advance(250);
    client.sendBytes(PUBLISH.subarray(5));
    const packets = await client.receiveAll();
    expect(packets.at(-1)).toMatchObject({ type: 'puback', packetId: 5 });
  });

  it('is over as soon as both sides have ended it', async () => {
    const broker = startTestBroker();
    broker.access.bound({ messagesPerSecond: 1 });
    const [ours, theirs] = duplexPair();
    broker.serve(theirs);
    ours.on('end', () => ours.end()).resume();
    ours.write(CONNECT);
    for (let n = 0; n < 4; n++) ours.write(PUBLISH);
    await settle();
    expect(theirs.isPaused()).toBe(true);
    ours.write(PUBLISH);
    await broker.connect('c', { version: 4 });
    await settle();
    expect(theirs.readableEnded).toBe(true);
  });
});

describe('a subscriber that does not read costs only itself', () => {
  const LIMITS = { unsentBytesMax: 64 * 1024, queueMessagesMax: 50 };
  const payload = (n: number): string => `${n} ${'x'.repeat(4_000)}`;

  it('loses QoS 0 above the mark, keeps QoS 1 in its queue, and nobody else notices', async () => {
    const broker = startTestBroker({ limits: LIMITS });
    const fast = await broker.connect('fast', { version: 4 });
    const [slow0, slow1] = [
      await broker.connect('slow0', { version: 4 }),
      await broker.connect('slow1', { version: 4 }),
    ];
    const publisher = await broker.connect('p', { version: 4 });
    for (const client of [fast, slow0]) await client.subscribe({ filter: 'zero', qos: 0 });
    await slow1.subscribe({ filter: 'one', qos: 1 });
    slow0.pause();
    slow1.pause();
    for (let n = 0; n < 100; n++) {
      publisher.publish('zero', payload(n));
      if (n < 40) await publisher.deliver('one', payload(n), { qos: 1 });
      await publisher.ping();
      expect((await fast.receive('publish')).payload.length).toBe(payload(n).length);
    }
    const unsent = broker.clients().map(({ unsentBytes }) => unsentBytes);
    expect(Math.max(...unsent)).toBeLessThan(LIMITS.unsentBytesMax + 10_000);
    slow0.resume();
    slow1.resume();
    const got = await slow0.receiveAll();
    expect(got.length).toBeGreaterThan(10);
    expect(got.length).toBeLessThan(40);
    const all = await slow1.takeMessages(40);
    expect(all).toEqual(Array.from({ length: 40 }, (_, n) => payload(n)));
    publisher.publish('zero', 'again');
    await slow0.expectMessage('zero', 'again');
  });

  it('gets its own bytes and never those of others, whatever was written meanwhile', async () => {
    const broker = startTestBroker({ limits: { ...LIMITS, unsentBytesMax: 1024 * 1024, queueMessagesMax: 1000 } });
    const publisher = await broker.connect('p', { version: 4 });
    const clients = [];
    for (let n = 0; n < 6; n++) {
      const client = await broker.connect(`c${n}`, { version: 4 });
      await client.subscribe({ filter: `for/${n}`, qos: 0 });
      clients.push(client);
    }
    for (let round = 0; round < 5; round++) {
      for (const [n, client] of clients.entries()) if ((n + round) % 2 === 0) client.pause();
      for (let n = 0; n < 180; n++) publisher.publish(`for/${n % 6}`, new Uint8Array(3_000).fill(n % 6));
      await publisher.ping();
      for (const client of clients) client.resume();
      for (const [n, client] of clients.entries()) {
        const packets = await client.receiveAll();
        expect(packets).toHaveLength(30);
        for (const packet of packets) {
          if (packet.type !== 'publish') throw new Error(`got ${packet.type}`);
          expect([packet.topic, ...new Set(packet.payload)]).toEqual([`for/${n}`, n]);
        }
      }
    }
  });
});

describe('100,000 broken connections', () => {
  it('leave memory as it was', { timeout: 120_000 }, async () => {
    const broker = startTestBroker();
    const other = await broker.connect('other');
    const attacks = [
      bytesOf('47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31'),
      bytesOf('10 ff ff ff 7f'),
      CONNECT.subarray(0, CONNECT.length - 2),
      joined([CONNECT, '30 80 80 80 80 01']),
      joined([CONNECT, SUBSCRIBE, PUBLISH, '82 02 00 01']),
      joined([CONNECT, frame(0x34, text('a'), uint16(1), 0x78), frame(0x34, text('a'), uint16(1), 0x78), '00 00']),
      joined([CONNECT, CONNECT]),
      joined([CONNECT, '36 04 00 01 61 78']),
      joined([CONNECT, '40 03 00 00 00']),
    ];
    const rounds = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 500) {
        for (let at = 0; at < 500; at++) {
          const [ours, theirs] = duplexPair();
          ours.on('error', () => undefined);
          ours.resume();
          broker.serve(theirs);
          ours.end(attacks[(n + at) % attacks.length]);
        }
        await settle();
        broker.events.length = 0;
      }
    };
    await rounds(10_000);
    const before = await heapBytes();
    await rounds(100_000);
    const after = await heapBytes();
    expect(broker.clients().map(({ clientId }) => clientId)).toEqual(['other']);
    expect((after - before) / 100_000).toBeLessThan(20);
    await other.ping();
  });
});
