// MQTT 5.0, 3.3.1.3: retained messages and the three options of a subscription that concern them.

import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

async function retain(publisher: RawClient, topic: string, payload: string): Promise<void> {
  publisher.publish(topic, payload, { retain: true });
  await publisher.ping();
}

describe('storing', () => {
  it('[MQTT-3.3.1-5] the last retained message of a topic replaces the one before', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    await retain(publisher, 'a', 'old');
    await retain(publisher, 'a', 'new');
    await retain(publisher, 'b', 'other');
    const subscriber = await broker.connect('s');
    await subscriber.subscribe('a');
    expect((await subscriber.expectMessage('a', 'new')).retain).toBe(true);
    await subscriber.expectNothing();
  });

  it.each([0, 1, 2] as const)('[MQTT-3.3.1-5] whatever their QoS (last one: %i)', async (qos) => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    publisher.publish('a', 'old', { retain: true, qos: 1 });
    publisher.publish('a', 'new', { retain: true, qos, packetId: 9 });
    await publisher.receiveAll();
    if (qos === 2) publisher.ack('pubrel', 9);
    await publisher.receiveAll();
    const subscriber = await broker.connect('s');
    await subscriber.subscribe('a');
    expect((await subscriber.expectMessage('a', 'new')).qos).toBe(qos);
  });

  it('[MQTT-3.3.1-6] [MQTT-3.3.1-7] an empty one removes what was there and is not kept, but is delivered', async () => {
    const broker = startTestBroker();
    const [publisher, live] = [await broker.connect('p'), await broker.connect('live')];
    await retain(publisher, 'a', 'x');
    await live.subscribe({ filter: '+', retainAsPublished: true });
    await live.expectMessage('a', 'x');
    publisher.publish('a', '', { retain: true });
    publisher.publish('b', '', { retain: true });
    await live.expectMessage('a', '');
    await live.expectMessage('b', '');
    const late = await broker.connect('late');
    await late.subscribe('#');
    await late.expectNothing();
  });

  it('[MQTT-3.3.1-8] without RETAIN nothing is stored, replaced or removed', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    await retain(publisher, 'a', 'kept');
    publisher.publish('a', 'passing');
    publisher.publish('a', '');
    publisher.publish('b', 'passing');
    await publisher.ping();
    const subscriber = await broker.connect('s');
    await subscriber.subscribe('#');
    await subscriber.expectMessage('a', 'kept');
    await subscriber.expectNothing();
  });
});

describe('Retain Handling', () => {
  it('[MQTT-3.3.1-9] 0 sends all that match, with every subscription', async () => {
    const broker = startTestBroker();
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    for (const topic of ['a/1', 'a/2', 'b']) await retain(publisher, topic, topic);
    for (let n = 0; n < 2; n++) {
      await subscriber.subscribe({ filter: 'a/+', retainHandling: 0 });
      expect((await subscriber.takeMessages(2)).sort()).toEqual(['a/1', 'a/2']);
      await subscriber.expectNothing();
    }
  });

  it('[MQTT-3.3.1-10] 1 sends them only if the subscription is new', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    await retain(publisher, 'a', 'x');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe({ filter: 'a', retainHandling: 1 });
    await first.expectMessage('a', 'x');
    await first.subscribe({ filter: 'a', qos: 1, retainHandling: 1 });
    await first.expectNothing();
    await first.cut();
    const second = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await second.subscribe({ filter: 'a', retainHandling: 1 });
    await second.expectNothing();
    await second.unsubscribe('a');
    await second.subscribe({ filter: 'a', retainHandling: 1 });
    await second.expectMessage('a', 'x');
  });

  it('[MQTT-3.3.1-11] 2 never sends them', async () => {
    const broker = startTestBroker();
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await retain(publisher, 'a', 'x');
    await subscriber.subscribe({ filter: 'a', retainHandling: 2 });
    await subscriber.expectNothing();
    publisher.publish('a', 'live');
    await subscriber.expectMessage('a', 'live');
  });

  it('a value of 3 ends the connection (3.8.3.1)', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes('82 07 00 01 00 00 01 61 30');
    await client.expectDisconnected('protocol-error', 'malformed-packet');
  });

  it('a shared subscription gets no retained messages (4.8.2)', async () => {
    const broker = startTestBroker();
    const [publisher, member] = [await broker.connect('p'), await broker.connect('m')];
    await retain(publisher, 'a', 'x');
    await member.subscribe('$share/g/a');
    await member.expectNothing();
  });
});

describe('many retained messages', () => {
  it('[MQTT-3.3.1-9] all come once each, through a small window, while others are published', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const topics = Array.from({ length: 400 }, (_, n) => `a/${n}`);
    for (const topic of topics) publisher.publish(topic, topic, { retain: true, qos: 1 });
    await publisher.receiveAll();
    const subscriber = await broker.connect('s', { properties: { receiveMaximum: 10 } });
    subscriber.requestSubscribe('a/#');
    publisher.publish('a/live', 'live', { qos: 1 });
    await subscriber.receive('suback');
    const payloads = await subscriber.takeMessages(401);
    expect(payloads.sort()).toEqual([...topics, 'live'].sort());
    await subscriber.expectNothing();
  });

  it('[MQTT-3.10.4-2] stop when the filter is unsubscribed', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    for (let n = 0; n < 200; n++) publisher.publish(`a/${n}`, 'x', { retain: true, qos: 1 });
    await publisher.receiveAll();
    const subscriber = await broker.connect('s', { properties: { receiveMaximum: 5 } });
    await subscriber.subscribe('a/#');
    const unsuback = subscriber.unsubscribe('a/#').catch(() => undefined);
    await unsuback;
    const before = (await subscriber.receiveAll()).length;
    expect(before).toBeLessThanOrEqual(5);
  });
});

describe('Retain As Published', () => {
  it.each([true, false])(
    '[MQTT-3.3.1-12] 0: a message published with RETAIN %s is forwarded without',
    async (retained) => {
      const broker = startTestBroker();
      const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
      await subscriber.subscribe({ filter: 'a', retainAsPublished: false });
      publisher.publish('a', 'x', { retain: retained });
      expect((await subscriber.expectMessage('a', 'x')).retain).toBe(false);
    },
  );

  it.each([true, false])(
    '[MQTT-3.3.1-13] 1: a message published with RETAIN %s is forwarded with the same',
    async (retained) => {
      const broker = startTestBroker();
      const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
      await subscriber.subscribe({ filter: 'a', qos: 1, retainAsPublished: true });
      publisher.publish('a', 'x', { retain: retained });
      publisher.publish('a', 'y', { retain: retained, qos: 1 });
      expect((await subscriber.expectMessage('a', 'x')).retain).toBe(retained);
      expect((await subscriber.expectMessage('a', 'y')).retain).toBe(retained);
    },
  );

  it('[MQTT-3.3.1-13] also when the message waited in a queue', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe([
      { filter: 'a', qos: 1, retainAsPublished: true },
      { filter: 'b', qos: 1 },
    ]);
    await first.cut();
    publisher.publish('a', 'x', { retain: true, qos: 1 });
    publisher.publish('b', 'y', { retain: true, qos: 1 });
    await publisher.receiveAll();
    const second = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect((await second.expectMessage('a', 'x')).retain).toBe(true);
    expect((await second.expectMessage('b', 'y')).retain).toBe(false);
  });

  it.each([true, false])(
    'what a new subscription brings has RETAIN 1 whatever the option says (%s)',
    async (option) => {
      const broker = startTestBroker();
      const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
      await retain(publisher, 'a', 'x');
      await subscriber.subscribe({ filter: 'a', retainAsPublished: option });
      expect((await subscriber.expectMessage('a', 'x')).retain).toBe(true);
    },
  );
});

describe('rights', () => {
  it('a retained message is not sent to whom may not receive it', async () => {
    const broker = startTestBroker({ rules: ['allow all #', 'deny receive secret/#'] });
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await retain(publisher, 'secret/a', 'x');
    await retain(publisher, 'open/a', 'y');
    await subscriber.subscribe('#');
    await subscriber.expectMessage('open/a', 'y');
    await subscriber.expectNothing();
  });
});
