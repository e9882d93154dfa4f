// MQTT 3.1.1, 3.8 and 3.9: SUBSCRIBE and SUBACK.

import { describe, expect, it } from 'vitest';
import { frame, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, KEPT, payloadsOf } from './clients.ts';

const LEVELS = [0, 1, 2] as const;

describe('the packet', () => {
  it.each([
    { title: '[MQTT-3.8.3-3] without a filter', body: '00 01' },
    { title: '[MQTT-3.8.3-4] with QoS 3', body: '00 01 00 01 61 03' },
    { title: '[MQTT-3.8.3-4] with a reserved bit', body: '00 01 00 01 61 04' },
    { title: '[MQTT-3.8.3-4] with the highest bit', body: '00 01 00 01 61 80' },
    { title: '[MQTT-3.8.3-4] with a reserved bit behind a good filter', body: '00 01 00 01 61 00 00 01 62 10' },
    { title: '[MQTT-4.8.0-1] with a filter and no QoS', body: '00 01 00 01 61' },
    { title: '[MQTT-4.8.0-1] without an identifier', body: '' },
  ])('$title ends the connection', async ({ body }) => {
    const broker = startTestBroker();
    const other = await connect(broker, 'other');
    const client = await connect(broker, 'client');
    client.sendBytes(frame(0x82, body));
    await client.expectClosed();
    await other.ping();
  });
});

describe('SUBACK', () => {
  it('[MQTT-3.8.4-1] [MQTT-3.8.4-2] comes for each SUBSCRIBE, with its identifier', async () => {
    const client = await connect(startTestBroker(), 'c');
    for (const id of [7, 3, 9]) client.sendBytes(frame(0x82, uint16(id), text('a'), 1));
    const acks = await client.receiveAll();
    expect(acks).toMatchObject([7, 3, 9].map((packetId) => ({ type: 'suback', packetId, reasonCodes: [1] })));
  });

  it('[MQTT-3.8.4-4] [MQTT-3.8.4-5] [MQTT-3.9.3-1] [MQTT-3.9.3-2] one answer, a code per filter, in order', async () => {
    const broker = startTestBroker({ rules: ['allow all ok/#'] });
    const client = await connect(broker, 'c');
    const { reasonCodes } = await client.subscribe([
      { filter: 'ok/1', qos: 2 },
      { filter: 'secret/1', qos: 2 },
      { filter: 'ok/2', qos: 0 },
      { filter: '#', qos: 1 },
      { filter: 'ok/3', qos: 1 },
    ]);
    expect(reasonCodes).toEqual([2, 0x80, 0, 0x80, 1]);
    const publisher = await connect(broker, 'p');
    for (const topic of ['ok/1', 'ok/2', 'ok/3']) publisher.publish(topic, topic);
    expect(payloadsOf(await client.receiveAll())).toEqual(['ok/1', 'ok/2', 'ok/3']);
  });

  it('[MQTT-3.8.4-1] comes too if every filter is refused, and the connection stays', async () => {
    const client = await connect(startTestBroker({ rules: [] }), 'c');
    expect((await client.subscribe(['a', 'b/#'])).reasonCodes).toEqual([0x80, 0x80]);
    await client.ping();
  });

  it('[MQTT-3.9.3-2] more subscriptions than a session may have: 0x80', async () => {
    const client = await connect(startTestBroker({ limits: { subscriptionsPerSessionMax: 2 } }), 'c');
    expect((await client.subscribe(['a', 'b', 'c', 'a'])).reasonCodes).toEqual([2, 2, 0x80, 2]);
  });

  it('[MQTT-3.9.3-2] a filter of too many levels: 0x80', async () => {
    const client = await connect(startTestBroker({ limits: { topicLevelsMax: 3 } }), 'c');
    expect((await client.subscribe(['a/b/c', 'a/b/c/d'])).reasonCodes).toEqual([2, 0x80]);
  });
});

describe('subscribing', () => {
  it('[MQTT-3.8.4-3] again: one copy, the new QoS, retained messages once more', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's'), await connect(broker, 'p')];
    await publisher.deliver('a', 'kept', { retain: true });
    for (const qos of [0, 1, 0] as const) {
      await subscriber.subscribe({ filter: 'a', qos });
      expect(await subscriber.expectMessage('a', 'kept')).toMatchObject({ retain: true, qos });
      await publisher.deliver('a', 'live', { qos: 2 });
      expect(await subscriber.expectMessage('a', 'live')).toMatchObject({ retain: false, qos });
      await subscriber.expectNothing();
    }
  });

  it('[MQTT-3.8.4-3] again while messages stream in loses none', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's', KEPT), await connect(broker, 'p')];
    await publisher.deliver('a', 'kept', { retain: true });
    await subscriber.subscribe({ filter: 'a', qos: 1 });
    await subscriber.takeMessages(1);
    for (let n = 0; n < 80; n++) {
      publisher.publish('a', String(n), { qos: 1 });
      if (n % 20 === 10) subscriber.requestSubscribe({ filter: 'a', qos: n % 40 === 10 ? 2 : 1 });
    }
    const payloads = payloadsOf(await subscriber.receiveAll());
    expect(payloads.filter((payload) => payload !== 'kept')).toEqual(Array.from({ length: 80 }, (_, n) => String(n)));
    expect(payloads.filter((payload) => payload === 'kept')).toHaveLength(4);
  });

  it('[MQTT-3.8.4-4] several filters in one packet are as good as several packets', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const filters = ['a', 'b/#', 'c/+', 'd', 'e'];
    for (const topic of ['a', 'b/1', 'c/1', 'd', 'e'])
      await publisher.deliver(topic, `kept ${topic}`, { retain: true });
    const [together, apart] = [await connect(broker, 'together'), await connect(broker, 'apart')];
    await together.subscribe(filters);
    for (const filter of filters) apart.requestSubscribe(filter);
    for (const topic of ['a', 'b/1', 'c/1', 'd', 'e']) publisher.publish(topic, `live ${topic}`);
    const [one, other] = [payloadsOf(await together.receiveAll()), payloadsOf(await apart.receiveAll())];
    expect(one).toHaveLength(10);
    expect(one.sort()).toEqual(other.sort());
  });

  const matrix = LEVELS.flatMap((published) => LEVELS.map((granted) => ({ published, granted })));
  it.each(matrix)(
    '[MQTT-3.8.4-6] published $published, granted $granted: the lower',
    async ({ published, granted }) => {
      const broker = startTestBroker();
      const publisher = await connect(broker, 'p');
      const clients = [await connect(broker, 'clean'), await connect(broker, 'kept', KEPT)];
      for (const client of clients) await client.subscribe({ filter: 'a', qos: granted });
      if (published === 0) publisher.publish('a', 'x');
      else await publisher.deliver('a', 'x', { qos: published });
      for (const client of clients) {
        expect((await client.expectMessage('a', 'x')).qos).toBe(Math.min(published, granted));
        await client.expectNothing();
      }
    },
  );

  it.each(matrix)(
    '[MQTT-3.8.4-6] [MQTT-3.1.2-5] published $published, granted $granted, while the client is away',
    async ({ published, granted }) => {
      const broker = startTestBroker();
      const publisher = await connect(broker, 'p');
      const first = await connect(broker, 's', KEPT);
      await first.subscribe({ filter: 'a', qos: granted });
      await first.disconnect();
      if (published === 0) publisher.publish('a', 'x');
      else await publisher.deliver('a', 'x', { qos: published });
      const second = await connect(broker, 's', KEPT);
      const qos = Math.min(published, granted);
      expect(await second.receiveAll()).toMatchObject(qos === 0 ? [] : [{ type: 'publish', qos, dup: false }]);
    },
  );
});

describe('shared subscriptions, which MQTT 3 may use too', () => {
  it('one member gets each message, and the filter behind $share is what is authorised', async () => {
    const broker = startTestBroker({ rules: ['allow all ok/#'] });
    const members = [await connect(broker, 'm1'), await connect(broker, 'm2'), await broker.connect('m3')];
    for (const member of members) expect((await member.subscribe('$share/g/ok/+')).reasonCodes).toEqual([2]);
    expect((await (await connect(broker, 'm4')).subscribe('$share/g/secret')).reasonCodes).toEqual([0x80]);
    const publisher = await connect(broker, 'p');
    for (let n = 0; n < 30; n++) await publisher.deliver('ok/a', String(n));
    const got: string[][] = [];
    for (const member of members) got.push(payloadsOf(await member.receiveAll()));
    expect(got.map((payloads) => payloads.length)).toEqual([10, 10, 10]);
    expect(new Set(got.flat()).size).toBe(30);
  });

  it('what a member leaves unacknowledged goes to another', async () => {
    const broker = startTestBroker();
    const [one, other] = [await connect(broker, 'one'), await connect(broker, 'other')];
    const publisher = await connect(broker, 'p');
    for (const member of [one, other]) await member.subscribe({ filter: '$share/g/a', qos: 1 });
    for (let n = 0; n < 10; n++) await publisher.deliver('a', String(n));
    await one.receiveAll();
    await one.cut();
    expect((await other.takeMessages(10)).map(Number).sort((x, y) => x - y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
