// MQTT 5.0, 3.8 and 3.9: SUBSCRIBE and its SUBACK.

import type { Packet } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { block, frame, startTestBroker, text, uint16 } from '../../harness/index.ts';

const RULES = { rules: ['allow all #', 'deny all secret/#'] };

describe('SUBACK', () => {
  it('[MQTT-3.8.4-1] [MQTT-3.8.4-2] answers every SUBSCRIBE with its identifier, also one that is refused', async () => {
    const client = await startTestBroker(RULES).connect('c');
    const ids = [
      client.requestSubscribe('a'),
      client.requestSubscribe('secret/a'),
      client.requestSubscribe(['b', 'c']),
    ];
    for (const packetId of ids) expect((await client.receive('suback')).packetId).toBe(packetId);
  });

  it('[MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2] has a code for each filter, in their order', async () => {
    const client = await startTestBroker(RULES).connect('c');
    const { reasonCodes } = await client.subscribe([
      { filter: 'a', qos: 1 },
      { filter: 'secret/a', qos: 1 },
      { filter: 'b/#/c', qos: 1 },
      { filter: 'c', qos: 0 },
      { filter: 'd+', qos: 2 },
      { filter: 'd', qos: 2 },
    ]);
    expect(reasonCodes).toEqual([1, 0x87, 0x8f, 0, 0x8f, 2]);
  });

  it.each([5, 40])(
    '[MQTT-3.9.2-1] [MQTT-3.9.2-2] fits the Maximum Packet Size of the client (%i more bytes)',
    async (spare) => {
      const size = 24 + spare;
      const client = await startTestBroker(RULES).connect('c', { properties: { maximumPacketSize: size } });
      const suback = await client.subscribe(['secret/a', 'secret/b', 'ok']);
      expect(suback.reasonCodes).toEqual([0x87, 0x87, 2]);
      expect(suback.properties.userProperty).toBeUndefined();
      expect((suback.properties.reasonString ?? '').length + 8).toBeLessThanOrEqual(size);
    },
  );
});

describe('what ends the connection', () => {
  it.each([
    { title: '[MQTT-3.8.3-2] no filter', packet: frame(0x82, uint16(1), block()) },
    { title: '[MQTT-3.8.3-1] a filter without options', packet: frame(0x82, uint16(1), block(), text('a')) },
    { title: '[MQTT-3.8.3-5] reserved option bit 6', packet: frame(0x82, uint16(1), block(), text('a'), 0x40) },
    { title: '[MQTT-3.8.3-5] reserved option bit 7', packet: frame(0x82, uint16(1), block(), text('a'), 0x80) },
    { title: 'a maximum QoS of 3', packet: frame(0x82, uint16(1), block(), text('a'), 0x03) },
    {
      title: '[MQTT-3.8.3-4] No Local on a shared subscription',
      packet: frame(0x82, uint16(1), block(), text('$share/g/a'), 0x04),
    },
    { title: 'a subscription identifier of 0', packet: frame(0x82, uint16(1), block(0x0b, 0), text('a'), 0) },
    { title: 'two subscription identifiers', packet: frame(0x82, uint16(1), block(0x0b, 1, 0x0b, 2), text('a'), 0) },
  ])('$title', async ({ packet }) => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(packet);
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });

  it('[MQTT-3.8.3-4] a good filter beside a shared one with No Local is not subscribed', async () => {
    const broker = startTestBroker();
    const first = await broker.connect('c', { properties: { sessionExpiryInterval: 600 } });
    first.sendBytes(frame(0x82, uint16(1), block(), text('a'), 0, text('$share/g/a'), 0x04));
    await first.expectDisconnected('protocol-error');
    const publisher = await broker.connect('p');
    expect(await publisher.deliver('a')).toBe(0x10);
  });
});

describe('No Local', () => {
  it('[MQTT-3.8.3-3] keeps back what the client itself publishes, and only that', async () => {
    const broker = startTestBroker();
    const [client, other] = [await broker.connect('c'), await broker.connect('other')];
    await client.subscribe({ filter: 'a', qos: 2, noLocal: true });
    await client.deliver('a', 'own', { qos: 1 });
    await client.deliver('a', 'own', { qos: 2 });
    client.publish('a', 'own');
    await client.expectNothing();
    await other.deliver('a', 'other');
    await client.expectMessage('a', 'other');
  });

  it('[MQTT-3.8.3-3] goes by the client identifier: also for a message that waited, and in a later connection', async () => {
    const broker = startTestBroker();
    const properties = { sessionExpiryInterval: 600, receiveMaximum: 1 };
    const first = await broker.connect('c', { properties });
    await first.subscribe({ filter: 'a', qos: 1, noLocal: true });
    await first.cut();
    const second = await broker.connect('c', { cleanStart: false, properties });
    await second.deliver('a', 'own');
    await second.expectNothing();
  });

  it('[MQTT-3.8.3-3] another filter without it still brings the message', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c');
    await client.subscribe({ filter: 'a/+', noLocal: true }, { subscriptionIdentifier: [1] });
    await client.subscribe({ filter: 'a/b', noLocal: false }, { subscriptionIdentifier: [2] });
    client.publish('a/b', 'x');
    expect((await client.expectMessage('a/b', 'x')).properties.subscriptionIdentifier).toEqual([2]);
    await client.expectNothing();
  });
});

describe('a subscription to a filter that is subscribed already', () => {
  it('[MQTT-3.8.4-3] replaces it: one copy, the new options', async () => {
    const broker = startTestBroker();
    const [client, publisher] = [await broker.connect('c'), await broker.connect('p')];
    await client.subscribe({ filter: 'a', qos: 2 }, { subscriptionIdentifier: [1] });
    await client.subscribe({ filter: 'a', qos: 0, noLocal: true, retainAsPublished: true });
    publisher.publish('a', 'x', { qos: 1, retain: true });
    const message = await client.expectMessage('a', 'x');
    expect(message).toMatchObject({ qos: 0, retain: true, properties: {} });
    client.publish('a', 'own');
    await client.expectNothing();
  });

  it('[MQTT-3.8.4-4] sends the retained messages again and loses nothing of what is published meanwhile', async () => {
    const broker = startTestBroker();
    const [client, publisher] = [await broker.connect('c'), await broker.connect('p')];
    await publisher.deliver('a', 'kept', { retain: true });
    await client.subscribe({ filter: 'a', qos: 1 });
    await client.takeMessages(1);
    for (let n = 0; n < 40; n++) {
      publisher.publish('a', String(n), { qos: 1 });
      if (n % 10 === 5) client.requestSubscribe({ filter: 'a', qos: 1 });
    }
    const payloads: string[] = [];
    for (const packet of await client.receiveAll()) {
      if (packet.type !== 'publish') continue;
      payloads.push(new TextDecoder().decode(packet.payload));
      client.ack('puback', packet.packetId);
    }
    expect(payloads.filter((payload) => payload === 'kept')).toHaveLength(4);
    expect(payloads.filter((payload) => payload !== 'kept')).toEqual(Array.from({ length: 40 }, (_, n) => String(n)));
  });

  it('a shared one beside it is another subscription (4.8.2)', async () => {
    const broker = startTestBroker();
    const [client, publisher] = [await broker.connect('c'), await broker.connect('p')];
    await client.subscribe('a');
    await client.subscribe('$share/g/a');
    publisher.publish('a', 'x');
    await client.expectMessage('a', 'x');
    await client.expectMessage('a', 'x');
    await client.expectNothing();
  });
});

describe('several filters in one SUBSCRIBE', () => {
  it('[MQTT-3.8.4-5] are as several packets with one filter each', async () => {
    const broker = startTestBroker();
    const [one, many, publisher] = [await broker.connect('1'), await broker.connect('n'), await broker.connect('p')];
    for (const topic of ['a', 'b', 'c']) await publisher.deliver(topic, `kept ${topic}`, { retain: true });
    const list = [
      { filter: 'a', qos: 0 },
      { filter: 'b', qos: 1 },
      { filter: 'b', qos: 2 },
      { filter: 'c', qos: 1, retainHandling: 2 },
      { filter: 'a', qos: 0, retainHandling: 1 },
    ] as const;
    const topics = (packets: readonly Packet[]) =>
      packets.flatMap((packet) => (packet.type === 'publish' ? [packet.topic] : []));
    const codes: number[] = [];
    const oneGot: string[] = [];
    for (const subscription of list) {
      codes.push(...(await one.subscribe(subscription)).reasonCodes);
      oneGot.push(...topics(await one.receiveAll()));
    }
    expect((await many.subscribe(list)).reasonCodes).toEqual(codes);
    expect(topics(await many.receiveAll()).sort()).toEqual(oneGot);
    expect(oneGot).toEqual(['a', 'b', 'b']);
  });
});

describe('QoS of delivery', () => {
  const levels = [0, 1, 2] as const;
  it.each(levels.flatMap((published) => levels.map((granted) => [published, granted] as const)))(
    '[MQTT-3.8.4-8] published with %i, granted %i: the lower one',
    async (published, granted) => {
      const broker = startTestBroker();
      const [client, publisher] = [await broker.connect('c'), await broker.connect('p')];
      expect((await client.subscribe({ filter: 'a', qos: granted })).reasonCodes).toEqual([granted]);
      if (published === 0) publisher.publish('a', 'x');
      else await publisher.deliver('a', 'x', { qos: published });
      expect((await client.expectMessage('a', 'x')).qos).toBe(Math.min(published, granted));
    },
  );
});
