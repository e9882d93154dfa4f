// Over-read by inner lengths (CVE-2019-5432, CVE-2016-10523, NanoMQ #1155): every byte of every packet is tried with other
// values; whatever comes of it stays within its own connection.

import { encode, type Packet, parseTopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { startTestBroker, will } from '../harness/index.ts';

const VALUES = [0x00, 0x01, 0x7f, 0x80, 0xff];

const properties = {};
const packets: readonly Packet[] = [
  {
    type: 'publish',
    topic: 'a/b',
    payload: Uint8Array.of(1, 2),
    qos: 1,
    retain: false,
    dup: false,
    packetId: 5,
    properties: { contentType: 'c', correlationData: Uint8Array.of(9), userProperty: [['k', 'v']], responseTopic: 'r' },
  },
  {
    type: 'subscribe',
    packetId: 6,
    subscriptions: [
      { filter: 'a/+', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      { filter: '$share/g/a', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
    ],
    properties: { subscriptionIdentifier: [3] },
  },
  { type: 'unsubscribe', packetId: 7, filters: ['a/+', 'b'], properties },
  { type: 'puback', packetId: 1, reasonCode: 0x80, properties: { reasonString: 'why' } },
  { type: 'pubrel', packetId: 1, reasonCode: 0x92, properties: { reasonString: 'why' } },
  { type: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 0 } },
];

const CONNECT: Packet = {
  type: 'connect',
  version: 5,
  clientId: 'c',
  cleanStart: true,
  keepAlive: 0,
  will: { ...will('w', 'x', { qos: 1 }), topic: parseTopicName('w/t') },
  userName: 'u',
  password: Uint8Array.of(1),
  properties: { sessionExpiryInterval: 1, userProperty: [['k', 'v']] },
};

describe('every byte of a packet set to other values', () => {
  it.each([4, 5] as const)('harms only its own connection, version %i', async (version) => {
    const broker = startTestBroker();
    const other = await broker.connect('other');
    for (const packet of packets) {
      const bytes = encode({ ...packet, ...(version === 4 ? { properties: {} } : {}) } as Packet, version);
      for (let at = 1; at < bytes.length; at++) {
        for (const value of VALUES) {
          const client = await broker.connect('c', { version });
          const broken = Uint8Array.from(bytes);
          broken[at] = value;
          client.sendBytes(broken);
          await client.cut();
        }
      }
    }
    await other.ping();
    expect(broker.events.filter((event) => event.name === 'broker.assertion')).toEqual([]);
  });

  it.each([4, 5] as const)('a CONNECT too, version %i', async (version) => {
    const broker = startTestBroker();
    const other = await broker.connect('other');
    const bytes = encode({ ...CONNECT, version, ...(version === 4 ? { properties: {} } : {}) } as Packet, version);
    for (let at = 1; at < bytes.length; at++) {
      for (const value of VALUES) {
        const client = broker.open(version);
        const broken = Uint8Array.from(bytes);
        broken[at] = value;
        client.sendBytes(broken);
        await client.cut();
      }
    }
    await other.ping();
    expect(broker.clients().filter(({ state }) => state !== 'away')).toHaveLength(1);
  });
});
