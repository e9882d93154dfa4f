// MQTT 5.0, 3.3.2: topic name and the properties that travel with a message, on every way it can take.

import type { Publish } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { block, frame, type RawClient, startTestBroker, type TestBroker, text, will } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

const PROPERTIES = {
  payloadFormatIndicator: 1,
  contentType: 'text/plain; charset=utf-8',
  responseTopic: 'answers/1',
  correlationData: Uint8Array.of(0, 255, 1),
  userProperty: [
    ['z', '1'],
    ['a', '2'],
    ['z', '1'],
    ['', ''],
    ['k', 'ü'],
  ],
} as const;

type Way = readonly [string, (broker: TestBroker, publisher: RawClient) => Promise<Publish>];

const WAYS: readonly Way[] = [
  [
    'live',
    async (broker, publisher) => {
      const subscriber = await broker.connect('s');
      await subscriber.subscribe('a');
      publisher.publish('a', 'x', { properties: PROPERTIES });
      return subscriber.expectMessage('a', 'x');
    },
  ],
  [
    'retained',
    async (broker, publisher) => {
      publisher.publish('a', 'x', { retain: true, properties: PROPERTIES });
      await publisher.ping();
      const subscriber = await broker.connect('s');
      await subscriber.subscribe('a');
      return subscriber.expectMessage('a', 'x');
    },
  ],
  [
    'queued',
    async (broker, publisher) => {
      const first = await broker.connect('s', { properties: KEPT });
      await first.subscribe('a');
      await first.cut();
      publisher.publish('a', 'x', { qos: 1, properties: PROPERTIES });
      await publisher.receive('puback');
      return (await broker.connect('s', { cleanStart: false })).expectMessage('a', 'x');
    },
  ],
  [
    'QoS 2',
    async (broker, publisher) => {
      const subscriber = await broker.connect('s');
      await subscriber.subscribe('a');
      publisher.publish('a', 'x', { qos: 2, packetId: 3, properties: PROPERTIES });
      await publisher.receive('pubrec');
      publisher.ack('pubrel', 3);
      return subscriber.expectMessage('a', 'x');
    },
  ],
  [
    'shared',
    async (broker, publisher) => {
      const subscriber = await broker.connect('s');
      await subscriber.subscribe('$share/g/a');
      publisher.publish('a', 'x', { qos: 1, properties: PROPERTIES });
      return subscriber.expectMessage('a', 'x');
    },
  ],
  [
    'will',
    async (broker) => {
      const subscriber = await broker.connect('s');
      await subscriber.subscribe('a');
      await (await broker.connect('w', { will: will('a', 'x', { properties: PROPERTIES }) })).cut();
      return subscriber.expectMessage('a', 'x');
    },
  ],
  [
    'behind an alias',
    async (broker, publisher) => {
      const subscriber = await broker.connect('s');
      await subscriber.subscribe('a');
      publisher.publish('a', 'first', { properties: { topicAlias: 1 } });
      publisher.publish('', 'x', { properties: { ...PROPERTIES, topicAlias: 1 } });
      await subscriber.expectMessage('a', 'first');
      return subscriber.expectMessage('a', 'x');
    },
  ],
];

describe('properties travel unaltered', () => {
  it.each(WAYS)(
    '[MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] %s',
    async (_name, way) => {
      const broker = startTestBroker();
      const message = await way(broker, await broker.connect('p'));
      const { correlationData, ...others } = message.properties;
      const { correlationData: sent, ...expected } = PROPERTIES;
      expect(others).toEqual(expected);
      expect([...(correlationData ?? [])]).toEqual([...sent]);
    },
  );

  it('[MQTT-3.3.2-4] a payload format indicator of 0 and one that is absent both mean bytes', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    publisher.publish('a', Uint8Array.of(0xff, 0xfe), { properties: { payloadFormatIndicator: 0 } });
    publisher.publish('a', Uint8Array.of(0xff));
    expect((await subscriber.receive('publish')).properties.payloadFormatIndicator ?? 0).toBe(0);
    expect((await subscriber.receive('publish')).properties.payloadFormatIndicator).toBeUndefined();
  });

  it('properties reach an MQTT 5 client and not an MQTT 3 one, in one fan-out', async () => {
    const broker = startTestBroker();
    const old = await broker.connect('old', { version: 4 });
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await old.subscribe('a');
    await subscriber.subscribe('a');
    publisher.publish('a', 'x', { properties: PROPERTIES });
    expect((await old.expectMessage('a', 'x')).properties).toEqual({});
    expect((await subscriber.expectMessage('a', 'x')).properties.contentType).toBe(PROPERTIES.contentType);
  });
});

describe('what may not be in a PUBLISH', () => {
  it.each(['a/+', 'a/#', '#', '+', 'a+b', 'a#'])('[MQTT-3.3.2-2] [MQTT-4.7.0-1] the topic name "%s"', async (topic) => {
    const broker = startTestBroker();
    const watcher = await broker.connect('w');
    await watcher.subscribe('#');
    const client = await broker.connect('c');
    client.sendBytes(frame(0x30, text(topic), block()));
    await client.expectDisconnected('topic-name-invalid', 'malformed-packet');
    await watcher.expectNothing();
  });

  it.each([
    ['no topic at all', '30 00'],
    ['a topic that is cut', '30 03 00 05 61'],
    ['no property length', '30 03 00 01 61'],
  ])('[MQTT-3.3.2-1] %s', async (_what, hex) => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(hex);
    await client.expectDisconnected('malformed-packet');
  });

  it.each(['a/+', '#'])('[MQTT-3.3.2-14] [MQTT-4.7.0-1] the response topic "%s"', async (topic) => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(0x30, text('a'), block(0x08, text(topic))));
    await client.expectDisconnected('protocol-error', 'topic-name-invalid', 'malformed-packet');
  });

  it('[MQTT-3.3.4-6] a subscription identifier', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(0x30, text('a'), block(0x0b, 1)));
    await client.expectDisconnected('protocol-error');
  });
});

describe('topic names arrive as they match', () => {
  it('[MQTT-3.3.2-3] each message only where a filter matches its topic', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const filters = ['a', 'a/b', 'a/+', 'a/#', '+/b', '#', '+', '/+', '+/+/c', 'a//b'];
    const topics = ['a', 'a/b', 'a/c', '/b', 'a/b/c', 'a//b', 'b', 'a/'];
    const expected: Record<string, string[]> = {
      a: ['a'],
      'a/b': ['a/b'],
      'a/+': ['a/b', 'a/c', 'a/'],
      'a/#': ['a', 'a/b', 'a/c', 'a/b/c', 'a//b', 'a/'],
      '+/b': ['a/b', '/b'],
      '#': topics,
      '+': ['a', 'b'],
      '/+': ['/b'],
      '+/+/c': ['a/b/c'],
      'a//b': ['a//b'],
    };
    for (const filter of filters) {
      const subscriber = await broker.connect(`s ${filter}`);
      await subscriber.subscribe({ filter, qos: 0 });
      for (const topic of topics) publisher.publish(topic, topic);
      const packets = await subscriber.receiveAll();
      expect(packets.map((packet) => (packet.type === 'publish' ? packet.topic : packet.type))).toEqual(
        expected[filter],
      );
      await subscriber.disconnect();
    }
  });
});
