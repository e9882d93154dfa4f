// A stream of bytes has no packet boundaries (4.2): however a conversation is cut, it means the same.

import { encode, type Packet } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { SeededRandom, startTestBroker } from '../../harness/index.ts';

const NO_OPTIONS = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

function publish(topic: string, qos: 0 | 1 | 2, packetId: number, payloadBytes: number): Packet {
  const payload = new Uint8Array(payloadBytes).fill(0x61);
  return {
    type: 'publish',
    topic,
    qos,
    packetId,
    payload,
    retain: false,
    dup: false,
    properties: { contentType: 't' },
  };
}

const CONVERSATION: readonly Packet[] = [
  { type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties: {} },
  { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a/#', qos: 0, ...NO_OPTIONS }], properties: {} },
  publish('a/0', 0, 0, 3),
  publish('a/1', 1, 2, 200),
  publish('a/2', 2, 3, 6_000),
  { type: 'pubrel', packetId: 3, reasonCode: 0, properties: {} },
  { type: 'pingreq' },
  { type: 'unsubscribe', packetId: 4, filters: ['a/#'], properties: {} },
  publish('a/3', 1, 5, 0),
  { type: 'disconnect', reasonCode: 0, properties: {} },
];

const BYTES = Buffer.concat(CONVERSATION.map((packet) => encode(packet, 5)));

/** What the broker answers, one line per packet. */
async function answersTo(chunks: readonly Uint8Array[]): Promise<string[]> {
  const client = startTestBroker().open();
  for (const chunk of chunks) client.sendBytes(chunk);
  const packets = await client.receiveAll();
  expect(client.closed).toBe(true);
  return packets.map((packet) =>
    packet.type === 'publish' ? `publish ${packet.topic} ${packet.payload.length}` : packet.type,
  );
}

function cut(sizes: () => number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < BYTES.length; ) {
    const size = Math.max(1, sizes());
    chunks.push(BYTES.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const EXPECTED = [
  'connack',
  'suback',
  'publish a/0 3',
  'publish a/1 200',
  'puback',
  'pubrec',
  'publish a/2 6000',
  'pubcomp',
  'pingresp',
  'unsuback',
  'puback',
];

describe('chunks', () => {
  it('one chunk, single bytes and everything between are the same conversation', async () => {
    const whole = await answersTo([BYTES]);
    expect([...whole].sort()).toEqual([...EXPECTED].sort());
    expect(await answersTo(cut(() => 1))).toEqual(whole);
    for (const size of [2, 7, 63, 4096]) expect(await answersTo(cut(() => size))).toEqual(whole);
  });

  it.each([1, 2, 3, 4, 5])('random cuts (seed %i)', async (seed) => {
    const random = new SeededRandom(seed);
    const answers = await answersTo(cut(() => random.uint32() % (random.uint32() % 3 === 0 ? 5000 : 20)));
    expect(answers.sort()).toEqual([...EXPECTED].sort());
  });
});
