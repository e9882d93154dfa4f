// Rules that hold at one door only (CVE-2026-33217, CVE-2021-34434, mosquitto 2.0.12 and #3672, dojot#2529): every way in
// and every way out, before and after the rules change.

import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker, type TestBroker, will } from '../harness/index.ts';

const OPEN = ['allow all #'];
const NO_PUBLISH = ['allow all #', 'deny publish secret/#'];
const NO_RECEIVE = ['allow all #', 'deny receive secret/#'];
const KEPT = { version: 4, cleanStart: false } as const;
const KEPT5 = { properties: { sessionExpiryInterval: 600 } } as const;

async function payloadsOf(client: RawClient): Promise<string[]> {
  const packets = await client.receiveAll();
  return packets.flatMap((packet) => (packet.type === 'publish' ? [new TextDecoder().decode(packet.payload)] : []));
}

describe('ways in: a topic that may not be published', () => {
  const ways: readonly { readonly title: string; readonly go: (broker: TestBroker) => Promise<void> }[] = [
    ...([0, 1, 2] as const).map((qos) => ({
      title: `PUBLISH with QoS ${qos}`,
      go: async (broker: TestBroker) => {
        const client = await broker.connect('c', { version: 4 });
        if (qos === 0) client.publish('secret/x', 'x');
        else await client.deliver('secret/x', 'x', { qos });
        await client.ping();
      },
    })),
    {
      title: 'retained',
      go: async (broker) => {
        await (await broker.connect('c')).deliver('secret/x', 'x', { retain: true });
      },
    },
    {
      title: 'by an alias that was set with an allowed topic, and then with this one',
      go: async (broker) => {
        const client = await broker.connect('c');
        client.publish('ok', '', { properties: { topicAlias: 1 } });
        client.publish('secret/x', 'x', { properties: { topicAlias: 1 } });
        client.publish('', 'x', { properties: { topicAlias: 1 } });
        await client.receiveAll();
      },
    },
    {
      title: 'a will',
      go: async (broker) => {
        const client = broker.open(4);
        await client.connect('c', { will: will('secret/x', 'x') });
        await client.cut();
      },
    },
    {
      title: 'QoS 2 that was sent when it was allowed and is released when it is not',
      go: async (broker) => {
        broker.access.replace(OPEN);
        const client = await broker.connect('c', KEPT);
        client.publish('secret/x', 'x', { qos: 2, packetId: 3 });
        await client.receive('pubrec');
        broker.access.replace(NO_PUBLISH);
        client.ack('pubrel', 3);
        await client.receive('pubcomp');
      },
    },
    {
      title: 'the same, over a reconnect',
      go: async (broker) => {
        broker.access.replace(OPEN);
        const client = await broker.connect('c', KEPT);
        client.publish('secret/x', 'x', { qos: 2, packetId: 3, retain: true });
        await client.receive('pubrec');
        await client.cut();
        broker.access.replace(NO_PUBLISH);
        const again = await broker.connect('c', KEPT);
        again.ack('pubrel', 3);
        await again.receive('pubcomp');
      },
    },
    {
      title: 'a verdict that was remembered',
      go: async (broker) => {
        broker.access.replace(OPEN);
        const client = await broker.connect('c');
        for (let n = 0; n < 3; n++) client.publish('secret/y', '');
        await client.ping();
        broker.access.replace(NO_PUBLISH);
        client.publish('secret/y', 'x');
        await client.ping();
      },
    },
  ];

  it.each(ways)('$title', async ({ go }) => {
    const broker = startTestBroker({ rules: NO_PUBLISH });
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('#');
    await go(broker);
    expect((await payloadsOf(watcher)).filter((payload) => payload === 'x')).toEqual([]);
    const late = await broker.connect('late');
    await late.subscribe('#');
    expect(await payloadsOf(late)).toEqual([]);
  });
});

describe('ways out: a topic that may not be received', () => {
  const publish = async (broker: TestBroker, fields: { retain?: boolean } = {}): Promise<void> => {
    const publisher = await broker.connect('p');
    await publisher.deliver('secret/x', 'x', fields);
    await publisher.deliver('open/x', 'open', fields);
  };

  it.each(['#', '+/x', 'secret/#', 'secret/x', '$share/g/#', '$share/g/secret/x'])('live, by %s', async (filter) => {
    const broker = startTestBroker({ rules: NO_RECEIVE });
    const client = await broker.connect('c');
    await client.subscribe(filter);
    await publish(broker);
    expect(await payloadsOf(client)).not.toContain('x');
  });

  it('retained', async () => {
    const broker = startTestBroker({ rules: NO_RECEIVE });
    await publish(broker, { retain: true });
    const client = await broker.connect('c');
    await client.subscribe('#');
    expect(await payloadsOf(client)).toEqual(['open']);
  });

  it.each([KEPT, KEPT5])('queued while away, rules changed meanwhile', async (fields) => {
    const broker = startTestBroker({ rules: OPEN });
    const first = await broker.connect('c', fields);
    await first.subscribe('#');
    await first.cut();
    await publish(broker);
    broker.access.replace(NO_RECEIVE);
    const again = await broker.connect('c', { ...fields, cleanStart: false });
    expect(await payloadsOf(again)).toEqual(['open']);
  });

  it('sent and not acknowledged, rules changed meanwhile', async () => {
    const broker = startTestBroker({ rules: OPEN });
    const first = await broker.connect('c', KEPT);
    await first.subscribe('#');
    await publish(broker);
    expect(await payloadsOf(first)).toEqual(['x', 'open']);
    await first.cut();
    broker.access.replace(NO_RECEIVE);
    const again = await broker.connect('c', KEPT);
    expect(await payloadsOf(again)).toEqual(['open']);
  });

  it.each([{ version: 4 } as const, KEPT])('waiting for quota, rules changed meanwhile', async (fields) => {
    const broker = startTestBroker({ rules: OPEN, limits: { inFlightMax: 1 } });
    const client = await broker.connect('c', fields);
    await client.subscribe('#');
    await publish(broker);
    await publish(broker);
    broker.access.replace(NO_RECEIVE);
    const got: string[] = [];
    for (let packets = await client.receiveAll(); packets.length > 0; packets = await client.receiveAll()) {
      for (const packet of packets) {
        if (packet.type !== 'publish') continue;
        got.push(new TextDecoder().decode(packet.payload));
        client.ack('puback', packet.packetId);
      }
    }
    // The first had left before the rules changed.
    expect(got.slice(1)).not.toContain('x');
  });

  it('handed on by a member of a group that may have it to one that may not', async () => {
    const identities = (clientId: string) => ({ realm: 't', name: clientId, kind: 'user', roles: [] }) as const;
    const broker = startTestBroker({ rules: OPEN, identities });
    const [one, other] = [await broker.connect('one'), await broker.connect('other')];
    await one.subscribe({ filter: '$share/g/#', qos: 1 });
    await publish(broker);
    await one.receiveAll();
    await other.subscribe({ filter: '$share/g/#', qos: 1 });
    broker.access.replace(NO_RECEIVE);
    await one.cut();
    expect(await payloadsOf(other)).not.toContain('x');
  });

  it('each filter of one SUBSCRIBE is asked for itself', async () => {
    const client = await startTestBroker({ rules: ['allow all ok/#'] }).connect('c');
    const { reasonCodes } = await client.subscribe([
      'ok/1',
      'secret',
      'ok/#',
      '#',
      '+/1',
      '$share/g/secret',
      '$share/g/ok/1',
    ]);
    expect(reasonCodes.map((code) => code < 0x80)).toEqual([true, false, true, false, false, false, true]);
  });
});
