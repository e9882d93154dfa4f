// MQTT 3.1.1, 3.3.1: DUP, QoS and RETAIN of a PUBLISH.

import type { QoS } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { frame, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, KEPT, payloadsOf } from './clients.ts';

const LEVELS = [0, 1, 2] as const;

async function pair() {
  const broker = startTestBroker();
  const [subscriber, publisher] = [await connect(broker, 's', KEPT), await connect(broker, 'p')];
  const late = async (filter: string, qos: QoS = 2) => {
    const client = await connect(broker, '');
    await client.subscribe({ filter, qos });
    return client.receiveAll();
  };
  return { broker, subscriber, publisher, late };
}

describe('DUP and QoS', () => {
  it.each([1, 2] as const)('[MQTT-3.3.1-1] a message of QoS %i sent again has DUP 1', async (qos) => {
    const { broker, subscriber, publisher } = await pair();
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'x', { qos });
    const first = await subscriber.expectMessage('a', 'x');
    await subscriber.cut();
    const again = await connect(broker, 's', KEPT);
    const second = await again.expectMessage('a', 'x');
    expect([first.dup, second.dup]).toEqual([false, true]);
    expect(second).toMatchObject({ packetId: first.packetId, qos });
  });

  it('[MQTT-3.3.1-2] QoS 0 with DUP ends the connection, and the broker sends none', async () => {
    const { subscriber, publisher } = await pair();
    await subscriber.subscribe({ filter: 'a', qos: 0 });
    publisher.sendBytes(frame(0x3a, text('a'), uint16(1), 0x78));
    await publisher.receive('puback');
    expect(await subscriber.expectMessage('a', 'x')).toMatchObject({ qos: 0, dup: false });
    publisher.sendBytes(frame(0x38, text('a'), 0x78));
    await publisher.expectClosed();
    await subscriber.expectNothing();
  });

  it.each([1, 2] as const)('[MQTT-3.3.1-3] DUP of the publisher is not passed on (QoS %i)', async (qos) => {
    const { subscriber, publisher } = await pair();
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'x', { qos, dup: true });
    expect((await subscriber.expectMessage('a', 'x')).dup).toBe(false);
  });

  it.each([0x36, 0x37, 0x3e, 0x3f])('[MQTT-3.3.1-4] QoS 3 (first byte %i) ends the connection', async (first) => {
    const { subscriber, publisher } = await pair();
    await subscriber.subscribe('#');
    publisher.sendBytes(frame(first, text('a'), uint16(1), 0x78));
    await publisher.expectClosed();
    await subscriber.expectNothing();
  });
});

describe('RETAIN', () => {
  const matrix = LEVELS.flatMap((published) => LEVELS.map((granted) => ({ published, granted })));
  it.each(matrix)(
    '[MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-8] kept with QoS $published, it comes to a later subscriber of QoS $granted',
    async ({ published, granted }) => {
      const { publisher, late } = await pair();
      if (published === 0) publisher.publish('a/b', 'x', { retain: true });
      else await publisher.deliver('a/b', 'x', { qos: published, retain: true });
      for (const filter of ['a/b', 'a/+', '#']) {
        const [message, ...rest] = await late(filter, granted);
        expect(rest).toEqual([]);
        expect(message).toMatchObject({
          type: 'publish',
          topic: 'a/b',
          retain: true,
          dup: false,
          qos: Math.min(published, granted),
        });
      }
    },
  );

  it('[MQTT-3.3.1-6] every matching topic brings its last one, others bring none', async () => {
    const { publisher, late } = await pair();
    for (const topic of ['a/1', 'a/2', 'a/2/3', 'b/1']) {
      await publisher.deliver(topic, `old ${topic}`, { retain: true });
      await publisher.deliver(topic, topic, { retain: true });
    }
    expect(payloadsOf(await late('a/+')).sort()).toEqual(['a/1', 'a/2']);
    expect(payloadsOf(await late('a/#')).sort()).toEqual(['a/1', 'a/2', 'a/2/3']);
    expect(payloadsOf(await late('c'))).toEqual([]);
  });

  it('[MQTT-3.3.1-7] one of QoS 0 takes the place of what was kept before', async () => {
    const { publisher, late } = await pair();
    await publisher.deliver('a', 'first', { qos: 1, retain: true });
    publisher.publish('a', 'second', { retain: true });
    expect(payloadsOf(await late('a'))).toEqual(['second']);
  });

  it('[MQTT-3.3.1-8] [MQTT-3.3.1-9] is 1 because of a new subscription and 0 for an established one', async () => {
    const { subscriber, publisher, late } = await pair();
    await subscriber.subscribe('#');
    for (const qos of [1, 2] as const) {
      await publisher.deliver(`a/${qos}`, 'x', { qos, retain: true });
      expect((await subscriber.expectMessage(`a/${qos}`, 'x')).retain).toBe(false);
    }
    publisher.publish('a/0', 'x', { retain: true });
    expect((await subscriber.expectMessage('a/0', 'x')).retain).toBe(false);
    const kept = await late('a/+');
    expect(kept).toHaveLength(3);
    expect(kept.every((packet) => packet.type === 'publish' && packet.retain)).toBe(true);
  });

  it('[MQTT-3.3.1-9] is 0 too for what waited in the queue of an established subscription', async () => {
    const { broker, subscriber, publisher } = await pair();
    await subscriber.subscribe('a');
    await subscriber.disconnect();
    await publisher.deliver('a', 'x', { retain: true });
    const again = await connect(broker, 's', KEPT);
    expect((await again.expectMessage('a', 'x')).retain).toBe(false);
  });

  it.each(LEVELS)('[MQTT-3.3.1-10] [MQTT-3.3.1-11] an empty one (QoS %i) clears the topic', async (qos) => {
    const { subscriber, publisher, late } = await pair();
    await publisher.deliver('a', 'x', { retain: true });
    await publisher.deliver('b', 'y', { retain: true });
    await subscriber.subscribe({ filter: 'a', qos: 0 });
    await subscriber.expectMessage('a', 'x');
    if (qos === 0) publisher.publish('a', '', { retain: true });
    else await publisher.deliver('a', '', { qos, retain: true });
    // To those who are there it is a message like any other.
    expect(await subscriber.expectMessage('a', '')).toMatchObject({ retain: false });
    expect(payloadsOf(await late('#'))).toEqual(['y']);
    await publisher.deliver('never', '', { retain: true });
    expect(payloadsOf(await late('#'))).toEqual(['y']);
  });

  it('[MQTT-3.3.1-12] without it nothing is stored, replaced or removed', async () => {
    const { publisher, late } = await pair();
    await publisher.deliver('a', 'kept', { retain: true });
    for (const payload of ['other', '']) await publisher.deliver('a', payload);
    publisher.publish('a', '');
    await publisher.deliver('b', 'never kept', { qos: 2 });
    expect(payloadsOf(await late('#'))).toEqual(['kept']);
  });
});
