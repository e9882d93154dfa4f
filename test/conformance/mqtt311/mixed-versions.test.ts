// MQTT 3.1.1 and 5.0 on one broker: what one version says, the other hears as far as it can.

import type { ProtocolVersion } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { startTestBroker, will } from '../../harness/index.ts';
import { connect, KEPT, payloadsOf } from './clients.ts';

const LEVELS = [0, 1, 2] as const;
const VERSIONS = [3, 4, 5] as const;

const PROPERTIES = {
  payloadFormatIndicator: 1,
  contentType: 'text/plain',
  responseTopic: 'answer/here',
  correlationData: Uint8Array.of(1, 2, 3),
  userProperty: [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
  ],
} as const;

const pairs = VERSIONS.flatMap((from) => VERSIONS.map((to) => ({ from, to })));
const matrix = pairs.flatMap((pair) =>
  LEVELS.flatMap((published) => LEVELS.map((granted) => ({ ...pair, published, granted }))),
);

describe('live', () => {
  it.each(matrix)(
    '[MQTT-3.8.4-6] from $from to $to, published $published, granted $granted',
    async ({ from, to, published, granted }) => {
      const broker = startTestBroker();
      const subscriber = await broker.connect('s', { version: to });
      const publisher = await broker.connect('p', { version: from });
      await subscriber.subscribe({ filter: 'a/+', qos: granted });
      if (published === 0) publisher.publish('a/b', 'x');
      else await publisher.deliver('a/b', 'x', { qos: published });
      const message = await subscriber.expectMessage('a/b', 'x');
      expect(message).toMatchObject({ qos: Math.min(published, granted), retain: false, dup: false, properties: {} });
      if (message.qos === 2) {
        subscriber.ack('pubrec', message.packetId);
        await subscriber.receive('pubrel');
        subscriber.ack('pubcomp', message.packetId);
      } else if (message.qos === 1) subscriber.ack('puback', message.packetId);
      await subscriber.ping();
    },
  );

  it('one message to subscribers of every version and QoS is right for each of them', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p', { version: 5 });
    const subscribers = [];
    for (const version of VERSIONS) {
      for (const qos of LEVELS) {
        const client = await broker.connect(`s${version}${qos}`, { version });
        await client.subscribe({ filter: 'a', qos });
        subscribers.push({ client, version, qos });
      }
    }
    await publisher.deliver('a', 'x', { qos: 2, properties: PROPERTIES });
    for (const { client, version, qos } of subscribers) {
      const message = await client.expectMessage('a', 'x');
      expect(message.qos).toBe(qos);
      if (version === 5) expect(message.properties.userProperty).toEqual(PROPERTIES.userProperty);
      else expect(message.properties).toEqual({});
      await client.expectNothing();
    }
  });

  it('what only MQTT 5.0 knows does not reach MQTT 3.1.1: properties, aliases, identifiers, reason codes', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's'), await broker.connect('p')];
    await subscriber.subscribe('#');
    publisher.publish('a', 'one', { properties: { ...PROPERTIES, topicAlias: 1 } });
    publisher.publish('', 'two', { properties: { topicAlias: 1 } });
    for (const payload of ['one', 'two']) {
      expect(await subscriber.expectMessage('a', payload)).toMatchObject({ properties: {} });
    }
    const { packetId } = await (async () => {
      await publisher.deliver('a', 'three', { properties: PROPERTIES });
      return subscriber.expectMessage('a', 'three');
    })();
    subscriber.ack('puback', packetId);
    await subscriber.ping();
  });

  it('no local, retain as published and subscription identifiers of a 5.0 session hold for what 3.1.1 sends', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await connect(broker, 'p')];
    await subscriber.subscribe({ filter: 'a', qos: 1, retainAsPublished: true }, { subscriptionIdentifier: [7] });
    await publisher.deliver('a', 'x', { retain: true });
    const message = await subscriber.expectMessage('a', 'x');
    expect(message).toMatchObject({ retain: true, qos: 1 });
    expect(message.properties.subscriptionIdentifier).toEqual([7]);
  });
});

describe('message expiry', () => {
  it('counts down and ends for 3.1.1 too, though it is not told', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await connect(broker, 's', KEPT);
    await first.subscribe('a');
    await first.disconnect();
    await publisher.deliver('a', 'short', { properties: { messageExpiryInterval: 5 } });
    await publisher.deliver('a', 'long', { properties: { messageExpiryInterval: 60 } });
    await broker.advance(10_000);
    const second = await connect(broker, 's', KEPT);
    expect(await second.takeMessages(1)).toEqual(['long']);
    await second.expectNothing();
  });

  it('a session of 3.1.1 that comes back with 5.0 is told what is left', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await connect(broker, 's', KEPT);
    await first.subscribe('a');
    await first.disconnect();
    await publisher.deliver('a', 'x', { properties: { ...PROPERTIES, messageExpiryInterval: 60 } });
    await broker.advance(10_000);
    const second = await broker.connect('s', { cleanStart: false, properties: { sessionExpiryInterval: 60 } });
    expect(second.connack?.sessionPresent).toBe(true);
    expect((await second.expectMessage('a', 'x')).properties).toMatchObject({
      messageExpiryInterval: 50,
      userProperty: PROPERTIES.userProperty,
    });
  });

  it('ends a retained message for 3.1.1', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    await publisher.deliver('a', 'x', { retain: true, properties: { messageExpiryInterval: 5 } });
    const early = await connect(broker, 'early');
    await early.subscribe('a');
    await early.expectMessage('a', 'x');
    await broker.advance(6_000);
    const late = await connect(broker, 'late');
    await late.subscribe('a');
    await late.expectNothing();
  });
});

describe('retained messages and wills', () => {
  it.each(pairs)('a retained message of version $from reaches version $to', async ({ from, to }) => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p', { version: from });
    await publisher.deliver('a', 'x', { qos: 1, retain: true });
    const late = await broker.connect('late', { version: to });
    await late.subscribe('#');
    expect(await late.expectMessage('a', 'x')).toMatchObject({ retain: true, qos: 1 });
    await publisher.deliver('a', '', { qos: 1, retain: true });
    const later = await broker.connect('later', { version: to });
    await later.subscribe('#');
    await later.expectNothing();
  });

  it('a retained message keeps its properties over a visit of 3.1.1', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    await publisher.deliver('a', 'x', { retain: true, properties: PROPERTIES });
    for (const version of [4, 5] as readonly ProtocolVersion[]) {
      const late = await broker.connect(`late${version}`, { version });
      await late.subscribe('a');
      const message = await late.expectMessage('a', 'x');
      if (version === 5) expect(message.properties).toMatchObject({ contentType: 'text/plain' });
    }
  });

  it.each(pairs)('a will of version $from reaches version $to', async ({ from, to }) => {
    const broker = startTestBroker();
    const watcher = await broker.connect('w', { version: to });
    await watcher.subscribe('gone');
    const client = await broker.connect('c', { version: from, will: will('gone', 'c', { qos: 1 }) });
    await client.cut();
    expect((await watcher.expectMessage('gone', 'c')).qos).toBe(1);
  });
});

describe('one session, several versions', () => {
  it('what 5.0 left open 3.1.1 finds, with identifiers and DUP as they were', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const first = await broker.connect('s', { properties: { sessionExpiryInterval: 600, topicAliasMaximum: 10 } });
    await first.subscribe('a');
    await publisher.deliver('a', 'one', { qos: 1 });
    await publisher.deliver('a', 'two', { qos: 2 });
    const [one, two] = (await first.receiveAll()).map((packet) => (packet.type === 'publish' ? packet.packetId : 0));
    first.ack('pubrec', two as number);
    await first.receive('pubrel');
    first.publish('b', 'three', { qos: 2, packetId: 9 });
    await first.receive('pubrec');
    await first.cut();
    const second = await connect(broker, 's', KEPT);
    expect(second.connack?.sessionPresent).toBe(true);
    expect(await second.receiveAll()).toMatchObject([
      { type: 'publish', topic: 'a', packetId: one, dup: true, qos: 1 },
      { type: 'pubrel', packetId: two },
    ]);
    const watcher = await broker.connect('w');
    await watcher.subscribe('b');
    second.ack('pubrel', 9);
    await second.receive('pubcomp');
    expect(payloadsOf(await watcher.receiveAll())).toEqual(['three']);
  });

  it('a take-over across versions tells each in its own words', async () => {
    const broker = startTestBroker();
    const five = await broker.connect('c');
    const four = await connect(broker, 'c');
    await five.expectDisconnected('session-taken-over');
    const again = await broker.connect('c');
    await four.expectClosed();
    await again.ping();
  });
});
