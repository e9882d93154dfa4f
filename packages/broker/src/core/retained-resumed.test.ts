// Retained messages that a client was owed when its connection ended, and that it has not asked for again: its session is there.

import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker, type TestBroker } from '../../../../test/harness/index.ts';
import { policyOf, roleOf } from '../access/policy.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
const granting = (...rules: string[]) => policyOf([roleOf('lab', rules)]);
const LIMITS = { unsentBytesMax: 20_000 };

interface Got {
  readonly topic: string;
  readonly text: string;
  readonly retain: boolean;
  readonly dup: boolean;
}

/** All that comes, acknowledged. */
async function takeAll(client: RawClient): Promise<Got[]> {
  const got: Got[] = [];
  for (let packets = await client.receiveAll(); packets.length > 0; packets = await client.receiveAll()) {
    for (const packet of packets) {
      if (packet.type !== 'publish') continue;
      const { topic, retain, dup, qos } = packet;
      got.push({ topic, text: new TextDecoder().decode(packet.payload), retain, dup });
      if (qos === 1) client.ack('puback', packet.packetId);
    }
  }
  return got;
}

/** 40 retained messages below `a/` and one at `z`; a client that was granted both, and was lost with the first ones on their way. */
async function lostHalfWay(broker: TestBroker, qos: 0 | 1): Promise<RawClient> {
  const publisher = await broker.connect('p');
  for (let n = 10; n < 50; n++) await publisher.deliver(`a/${n}`, 'x'.repeat(5_000), { retain: true, qos: 1 });
  await publisher.deliver('z', 'old', { retain: true, qos: 1 });
  const subscriber = await broker.connect('s', KEPT);
  subscriber.pause();
  subscriber.requestSubscribe(['a/#', 'z'].map((filter) => ({ filter, qos })));
  await publisher.ping();
  await subscriber.cut();
  return publisher;
}

describe('[MQTT-3.3.1-9] retained messages that were owed when the connection was lost', () => {
  it('[MQTT-4.4.0-1] all come once the session is there again, at QoS 1', async () => {
    const broker = startTestBroker({ limits: LIMITS });
    await lostHalfWay(broker, 1);
    const got = await takeAll(await broker.connect('s', KEPT));
    expect(new Set(got.map(({ topic }) => topic)).size).toBe(41);
    // What was sent before comes again as that, and nothing else comes twice.
    expect(got).toHaveLength(41);
  });

  it('go on behind those that were on their way, at QoS 0, and are owed once', async () => {
    const broker = startTestBroker({ limits: LIMITS });
    await lostHalfWay(broker, 0);
    const again = await broker.connect('s', KEPT);
    const got = await takeAll(again);
    const all = [...Array.from({ length: 40 }, (_, at) => `a/${at + 10}`), 'z'];
    expect(got.length).toBeGreaterThan(10);
    expect(got.length).toBeLessThan(41);
    expect(got.map(({ topic }) => topic)).toEqual(all.slice(-got.length));
    expect(got.every(({ retain }) => retain)).toBe(true);
    await again.cut();
    await (await broker.connect('s', KEPT)).expectNothing();
  });

  it('[MQTT-3.3.1-12] do not come as such if they came while the client was away', async () => {
    const broker = startTestBroker({ limits: LIMITS });
    const publisher = await lostHalfWay(broker, 1);
    await publisher.deliver('z', 'new', { retain: true, qos: 1 });
    const got = await takeAll(await broker.connect('s', KEPT));
    expect(got.filter(({ topic }) => topic === 'z')).toEqual([{ topic: 'z', text: 'new', retain: false, dup: false }]);
  });

  it('[MQTT-4.6.0-6] are the newest, behind all that waited, where QoS 0 was published while the client was away', async () => {
    const broker = startTestBroker({ limits: LIMITS });
    const publisher = await lostHalfWay(broker, 1);
    await publisher.deliver('z', 'newer', { retain: true, qos: 1 });
    publisher.publish('z', 'newest', { retain: true });
    await publisher.ping();
    const got = await takeAll(await broker.connect('s', KEPT));
    expect(got.filter(({ topic }) => topic === 'z')).toEqual([
      { topic: 'z', text: 'newer', retain: false, dup: false },
      { topic: 'z', text: 'newest', retain: true, dup: false },
    ]);
  });

  it('do not come for a session that began anew', async () => {
    const broker = startTestBroker({ limits: LIMITS });
    await lostHalfWay(broker, 1);
    await (await broker.connect('s', { ...KEPT, cleanStart: true })).expectNothing();
  });

  it('come when the session is taken over', async () => {
    const broker = startTestBroker({ limits: LIMITS });
    const publisher = await broker.connect('p');
    for (let n = 0; n < 40; n++) await publisher.deliver(`a/${n}`, 'x'.repeat(5_000), { retain: true, qos: 1 });
    const first = await broker.connect('s', KEPT);
    first.pause();
    first.requestSubscribe({ filter: 'a/#', qos: 1 });
    await publisher.ping();
    expect(await takeAll(await broker.connect('s', KEPT))).toHaveLength(40);
  });

  it('do not come for a subscription that another policy ended meanwhile', async () => {
    const rules = ['allow publish #', 'allow receive #', 'allow subscribe a/#'];
    const broker = startTestBroker({ limits: LIMITS, policy: granting(...rules, 'allow subscribe z') });
    await lostHalfWay(broker, 1);
    await broker.usePolicy(granting(...rules));
    const got = await takeAll(await broker.connect('s', KEPT));
    expect(got.filter(({ topic }) => topic === 'z')).toEqual([]);
    expect(got).toHaveLength(40);
  });
});
