// MQTT 5.0, 4.4 to 4.6: what is sent again after a reconnect, who is owed a message, and in which order it comes.

import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker, type TestBroker } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

const back = (broker: TestBroker, properties = KEPT) => broker.connect('s', { cleanStart: false, properties });

describe('redelivery', () => {
  it('[MQTT-4.4.0-1] PUBLISH and PUBREL come again with their identifiers, in the order they were sent', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('#');
    const qos = [1, 2, 1, 2, 2] as const;
    for (const [n, level] of qos.entries()) await publisher.deliver('a', String(n), { qos: level });
    const ids: number[] = [];
    for (const n of qos.keys()) ids.push((await first.expectMessage('a', String(n))).packetId);
    first.ack('pubrec', ids[1] as number);
    await first.receive('pubrel');
    await first.cut();

    const second = await back(broker);
    const packets = await second.receiveAll();
    const publishes = packets.filter((packet) => packet.type === 'publish');
    expect(publishes.map((packet) => [packet.packetId, packet.dup])).toEqual([0, 2, 3, 4].map((n) => [ids[n], true]));
    const releases = packets.filter((packet) => packet.type === 'pubrel');
    expect(releases.map((packet) => packet.packetId)).toEqual([ids[1]]);
    expect(packets).toHaveLength(5);
  });

  it('[MQTT-4.4.0-1] nothing is sent again while the connection lasts', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const subscriber = await broker.connect('s', { properties: KEPT });
    await subscriber.subscribe('a');
    await publisher.deliver('a', '1', { qos: 1 });
    await publisher.deliver('a', '2', { qos: 2 });
    expect((await subscriber.receiveAll()).length).toBe(2);
    for (let hour = 0; hour < 24; hour++) await broker.advance(3_600_000);
    await subscriber.expectNothing();
  });

  it.each([
    ['PUBACK', 1],
    ['PUBREC', 2],
  ] as const)('[MQTT-4.4.0-2] a %s with 0x80 or above ends the message for good', async (_name, qos) => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('a');
    await publisher.deliver('a', 'x', { qos });
    const { packetId } = await first.expectMessage('a', 'x');
    first.ack(qos === 1 ? 'puback' : 'pubrec', packetId, 0x80);
    await first.expectNothing();
    await first.cut();
    await (await back(broker)).expectNothing();
  });

  it('what was queued comes after what is sent again', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('a');
    await publisher.deliver('a', '1');
    await publisher.deliver('a', '2');
    expect((await first.receiveAll()).length).toBe(2);
    await first.cut();
    await publisher.deliver('a', '3');
    const second = await back(broker);
    expect(await second.takeMessages(3)).toEqual(['1', '2', '3']);
  });

  it('survives several reconnects without an acknowledgement', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('a');
    for (let n = 0; n < 5; n++) await publisher.deliver('a', String(n));
    await first.cut();
    for (let n = 0; n < 4; n++) {
      const client = await back(broker, { ...KEPT, ...(n % 2 === 0 ? { receiveMaximum: 2 } : {}) });
      await client.receiveAll();
      await client.cut();
    }
    expect(await (await back(broker)).takeMessages(5)).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('ownership', () => {
  it('[MQTT-4.5.0-1] a message is owed to every session whose subscription matches, here or away', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const here = await broker.connect('here');
    await here.subscribe('a/#');
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe({ filter: 'a/+', qos: 1 });
    await away.cut();
    const old = await broker.connect('old', { version: 4, cleanStart: false });
    await old.subscribe({ filter: '+/b', qos: 1 });
    await old.cut();
    const other = await broker.connect('other', { properties: KEPT });
    await other.subscribe('b');
    await publisher.deliver('a/b', 'x');
    await publisher.cut();
    await here.expectMessage('a/b', 'x');
    await (await back(broker)).expectMessage('a/b', 'x');
    await (await broker.connect('old', { version: 4, cleanStart: false })).expectMessage('a/b', 'x');
    await other.expectNothing();
  });

  it('QoS 0 messages are not kept for whom is away', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe('a');
    await away.cut();
    publisher.publish('a', 'x');
    await publisher.ping();
    await (await back(broker)).expectNothing();
  });
});

describe('order', () => {
  /** Two publishers take turns; each message says who sent it, at which QoS, and its number. */
  async function publishAll(publishers: readonly RawClient[], count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      for (const [who, publisher] of publishers.entries()) {
        for (const qos of [0, 1, 2] as const) {
          const payload = `${who}/${qos}/${n}`;
          if (qos === 0) publisher.publish('a', payload);
          else await publisher.deliver('a', payload, { qos });
        }
      }
    }
  }

  function expectOrdered(payloads: readonly string[], qosSeen: readonly number[], count: number): void {
    for (const who of [0, 1]) {
      for (const qos of qosSeen) {
        const numbers = payloads
          .filter((payload) => payload.startsWith(`${who}/${qos}/`))
          .map((p) => Number(p.split('/')[2]));
        expect(numbers).toEqual(Array.from({ length: count }, (_, n) => n));
      }
    }
  }

  it.each([1, 100])(
    "[MQTT-4.6.0-5] [MQTT-4.6.0-6] each publisher's messages of one QoS come in its order (window %i)",
    async (receiveMaximum) => {
      const broker = startTestBroker();
      const publishers = [await broker.connect('p0'), await broker.connect('p1')];
      const subscriber = await broker.connect('s', { properties: { receiveMaximum } });
      await subscriber.subscribe('a');
      await publishAll(publishers, 15);
      expectOrdered(await subscriber.takeMessages(90), [0, 1, 2], 15);
      await subscriber.expectNothing();
    },
  );

  it('[MQTT-4.6.0-5] [MQTT-4.6.0-6] also with a reconnect in the middle', async () => {
    const broker = startTestBroker();
    const publishers = [await broker.connect('p0'), await broker.connect('p1')];
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('a');
    await publishAll(publishers, 5);
    const early = await first.takeMessages(30);
    await first.cut();
    await publishAll(publishers, 5);
    const second = await back(broker);
    const late = await second.takeMessages(20);
    expectOrdered(early, [0, 1, 2], 5);
    expectOrdered(late, [1, 2], 5);
    await second.expectNothing();
  });

  it('acknowledgements come in the order of the messages', async () => {
    const broker = startTestBroker();
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe('stored');
    await away.cut();
    const client = await broker.connect('p');
    const ids: number[] = [];
    for (let n = 0; n < 30; n++) {
      ids.push(client.publish(n % 3 === 0 ? 'stored' : 'nobody', 'x', { qos: n % 2 === 0 ? 1 : 2 }));
    }
    const packets = await client.receiveAll();
    const order = packets.map((packet) => ('packetId' in packet ? packet.packetId : 0));
    const even = new Set(ids.filter((_id, n) => n % 2 === 0));
    expect(order.filter((id) => even.has(id))).toEqual(ids.filter((id) => even.has(id)));
    expect(order.filter((id) => !even.has(id))).toEqual(ids.filter((id) => !even.has(id)));
    expect(order).toHaveLength(30);
  });
});
