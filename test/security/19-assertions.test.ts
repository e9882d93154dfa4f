// Assertions that a client can reach (CVE-2024-42644, CVE-2024-50948): random talk of well-formed and half-formed packets
// meets none. `stop` of the test broker fails if one was met.

import { encode, type Packet } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { type RawClient, SeededRandom, startTestBroker } from '../harness/index.ts';

const TOPICS = ['a', 'a/b', 'a/b/c', '$x/y', '/', 'b'];
const FILTERS = ['#', '+', 'a/#', 'a/+', '$share/g/a/#', '$share/g/#', '$share/h/+', 'b', '+/+', '$x/#'];

function randomPacket(random: SeededRandom, version: 4 | 5): Packet {
  const pick = <T>(list: readonly T[]): T => list[random.uint32() % list.length] as T;
  const flip = (): boolean => random.uint32() % 2 === 0;
  const packetId = 1 + (random.uint32() % 4);
  const qos = pick([0, 1, 2] as const);
  const reasonCode = version === 5 && random.uint32() % 4 === 0 ? 0x80 : 0;
  switch (random.uint32() % 9) {
    case 0:
    case 1:
      return {
        type: 'publish',
        topic: pick(TOPICS),
        payload: new Uint8Array(random.uint32() % 50),
        qos,
        retain: flip(),
        dup: qos > 0 && flip(),
        packetId: qos === 0 ? 0 : packetId,
        properties: version === 5 && flip() ? { messageExpiryInterval: random.uint32() % 3, topicAlias: packetId } : {},
      };
    case 2:
      return {
        type: 'subscribe',
        packetId,
        subscriptions: [
          { filter: pick(FILTERS), qos, noLocal: false, retainAsPublished: version === 5 && flip(), retainHandling: 0 },
        ],
        properties: {},
      };
    case 3:
      return { type: 'unsubscribe', packetId, filters: [pick(FILTERS), pick(FILTERS)], properties: {} };
    case 4:
      return { type: 'puback', packetId, reasonCode, properties: {} };
    case 5:
      return { type: 'pubrec', packetId, reasonCode, properties: {} };
    case 6:
      return { type: 'pubrel', packetId, reasonCode: 0, properties: {} };
    case 7:
      return { type: 'pubcomp', packetId, reasonCode: 0, properties: {} };
    default:
      return random.uint32() % 8 === 0 ? { type: 'disconnect', reasonCode: 0, properties: {} } : { type: 'pingreq' };
  }
}

describe('random talk', () => {
  it.each([11, 22, 33, 44])('meets no assertion and leaves the others alone (seed %i)', async (seed) => {
    const broker = startTestBroker({ limits: { inFlightMax: 3, queueMessagesMax: 5, subscriptionsPerSessionMax: 4 } });
    const random = new SeededRandom(seed);
    const steady = await broker.connect('steady');
    let clients: RawClient[] = [];
    for (let step = 0; step < 1_500; step++) {
      clients = clients.filter((client) => !client.closed);
      if (clients.length < 6) {
        const version = random.uint32() % 2 === 0 ? 4 : 5;
        const properties = version === 5 ? { sessionExpiryInterval: random.uint32() % 3, receiveMaximum: 2 } : {};
        const cleanStart = random.uint32() % 4 === 0;
        clients.push(await broker.connect(`c${random.uint32() % 4}`, { version, cleanStart, properties }));
      }
      const client = clients[random.uint32() % clients.length] as RawClient;
      const version = client.version === 5 ? 5 : 4;
      const bytes = encode(randomPacket(random, version), version);
      if (random.uint32() % 40 === 0) bytes[random.uint32() % bytes.length] = random.uint32() % 256;
      client.sendBytes(bytes);
      if (random.uint32() % 3 === 0) await client.receiveAll();
      if (random.uint32() % 30 === 0) await client.cut();
      if (random.uint32() % 20 === 0) await broker.advance(random.uint32() % 2_000);
    }
    await steady.receiveAll();
    await steady.ping();
    expect(broker.events.filter((event) => event.name === 'broker.assertion')).toEqual([]);
  });
});
