// MQTT 5.0, 3.3.4: overlapping subscriptions, subscription identifiers, and Receive Maximum both ways (also 4.9).

import { describe, expect, it } from 'vitest';
import { type PacketOf, type RawClient, startTestBroker, type TestBroker } from '../../harness/index.ts';

describe('overlapping subscriptions', () => {
  it('[MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4] give one copy, at the highest QoS, with all identifiers', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe({ filter: 'a/b', qos: 0 }, { subscriptionIdentifier: [1] });
    await subscriber.subscribe({ filter: 'a/+', qos: 2 }, { subscriptionIdentifier: [2] });
    await subscriber.subscribe({ filter: '#', qos: 1 });
    await subscriber.subscribe({ filter: 'other', qos: 1 }, { subscriptionIdentifier: [3] });
    publisher.publish('a/b', 'x', { qos: 2, packetId: 1 });
    await publisher.receive('pubrec');
    publisher.ack('pubrel', 1);
    await publisher.receive('pubcomp');
    const message = await subscriber.expectMessage('a/b', 'x');
    expect(message.qos).toBe(2);
    expect([...(message.properties.subscriptionIdentifier ?? [])].sort()).toEqual([1, 2]);
    await subscriber.expectNothing();
  });

  it('[MQTT-3.3.4-3] identifiers come also with retained and with queued messages', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    publisher.publish('r', 'kept', { retain: true });
    await publisher.ping();
    const first = await broker.connect('s', { properties: { sessionExpiryInterval: 600 } });
    await first.subscribe(['r', 'q'], { subscriptionIdentifier: [268_435_455] });
    expect((await first.expectMessage('r', 'kept')).properties.subscriptionIdentifier).toEqual([268_435_455]);
    await first.cut();
    publisher.publish('q', 'x', { qos: 1 });
    await publisher.receive('puback');
    const second = await broker.connect('s', { cleanStart: false });
    expect((await second.expectMessage('q', 'x')).properties.subscriptionIdentifier).toEqual([268_435_455]);
  });

  it('[MQTT-3.3.4-3] a new subscription to the same filter brings a new identifier, or none', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c');
    await client.subscribe('a', { subscriptionIdentifier: [1] });
    await client.subscribe('a', { subscriptionIdentifier: [2] });
    client.publish('a', 'x');
    expect((await client.expectMessage('a', 'x')).properties.subscriptionIdentifier).toEqual([2]);
    await client.subscribe('a');
    client.publish('a', 'y');
    expect((await client.expectMessage('a', 'y')).properties.subscriptionIdentifier).toBeUndefined();
  });

  it('[MQTT-3.3.4-2] [MQTT-3.3.4-4] one copy also for a client that is away', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: { sessionExpiryInterval: 600 } });
    await first.subscribe({ filter: 'a/+', qos: 1 }, { subscriptionIdentifier: [1] });
    await first.subscribe({ filter: '#', qos: 2 }, { subscriptionIdentifier: [2] });
    await first.subscribe({ filter: '+/b', qos: 0 }, { subscriptionIdentifier: [3] });
    await first.cut();
    await publisher.deliver('a/b', 'x', { qos: 2 });
    const second = await broker.connect('s', { cleanStart: false });
    const message = await second.expectMessage('a/b', 'x');
    expect(message.qos).toBe(2);
    expect([...(message.properties.subscriptionIdentifier ?? [])].sort()).toEqual([1, 2, 3]);
    await second.expectNothing();
  });

  it('identifiers of one client do not reach another', async () => {
    const broker = startTestBroker();
    const [one, other] = [await broker.connect('one'), await broker.connect('other')];
    await one.subscribe('a', { subscriptionIdentifier: [1] });
    await other.subscribe('a', { subscriptionIdentifier: [2] });
    one.publish('a', 'x');
    expect((await one.expectMessage('a', 'x')).properties.subscriptionIdentifier).toEqual([1]);
    expect((await other.expectMessage('a', 'x')).properties.subscriptionIdentifier).toEqual([2]);
  });
});

describe('Receive Maximum of the client', () => {
  async function publishFive(publisher: RawClient): Promise<void> {
    for (let n = 1; n <= 5; n++) publisher.publish('a', String(n), { qos: 1 });
    await publisher.receiveAll();
  }

  it('[MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2] no more are under way than it says; each PUBACK makes room for one', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const subscriber = await broker.connect('s', { properties: { receiveMaximum: 2 } });
    await subscriber.subscribe('a');
    await publishFive(publisher);
    const first = await subscriber.expectMessage('a', '1');
    await subscriber.expectMessage('a', '2');
    await subscriber.expectNothing();
    subscriber.ack('puback', first.packetId);
    await subscriber.expectMessage('a', '3');
    await subscriber.expectNothing();
  });

  it('[MQTT-3.3.4-9] [MQTT-4.9.0-2] at QoS 2 PUBCOMP makes room, or a PUBREC that refuses; PUBREC alone does not', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const subscriber = await broker.connect('s', { properties: { receiveMaximum: 1 } });
    await subscriber.subscribe('a');
    for (let n = 1; n <= 3; n++) {
      publisher.publish('a', String(n), { qos: 2, packetId: n });
      await publisher.receive('pubrec');
      publisher.ack('pubrel', n);
      await publisher.receive('pubcomp');
    }
    const first = await subscriber.expectMessage('a', '1');
    subscriber.ack('pubrec', first.packetId);
    await subscriber.receive('pubrel');
    await subscriber.expectNothing();
    subscriber.ack('pubcomp', first.packetId);
    const second = await subscriber.expectMessage('a', '2');
    subscriber.ack('pubrec', second.packetId, 0x80);
    await subscriber.expectMessage('a', '3');
    await subscriber.expectNothing();
  });

  it('[MQTT-3.3.4-10] [MQTT-4.9.0-3] a full window delays nothing but QoS 1 and 2 messages', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const subscriber = await broker.connect('s', { properties: { receiveMaximum: 1 } });
    await subscriber.subscribe('a');
    await publishFive(publisher);
    const held = await subscriber.expectMessage('a', '1');
    await subscriber.ping();
    expect((await subscriber.subscribe('b')).reasonCodes).toEqual([2]);
    subscriber.publish('c', 'x', { qos: 1 });
    await subscriber.receive('puback');
    subscriber.publish('c', 'x', { qos: 2, packetId: 77 });
    await subscriber.receive('pubrec');
    subscriber.ack('pubrel', 77);
    await subscriber.receive('pubcomp');
    await subscriber.unsubscribe('b');
    subscriber.ack('puback', held.packetId);
    await subscriber.expectMessage('a', '2');
  });

  it('holds also for what waited while the client was away', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: { sessionExpiryInterval: 600 } });
    await first.subscribe('a');
    await first.cut();
    await publishFive(publisher);
    const properties = { sessionExpiryInterval: 600, receiveMaximum: 2 };
    const second = await broker.connect('s', { cleanStart: false, properties });
    const { packetId } = await second.expectMessage('a', '1');
    await second.expectMessage('a', '2');
    await second.expectNothing();
    second.ack('puback', packetId);
    await second.expectMessage('a', '3');
  });

  it('holds also for what is sent again after a reconnect with a smaller one', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: { sessionExpiryInterval: 600 } });
    await first.subscribe('a');
    await publishFive(publisher);
    expect((await first.receiveAll()).length).toBe(5);
    await first.cut();
    const properties = { sessionExpiryInterval: 600, receiveMaximum: 2 };
    const second = await broker.connect('s', { cleanStart: false, properties });
    const packets = (await second.receiveAll()) as PacketOf<'publish'>[];
    expect(packets.length).toBe(2);
    for (const { packetId } of packets) second.ack('puback', packetId);
    expect((await second.takeMessages(3)).length).toBe(3);
  });
});

describe('Receive Maximum of the broker', () => {
  it('[MQTT-3.3.4-7] one more unfinished QoS 2 message ends the connection with 0x93', async () => {
    const broker = startTestBroker({ limits: { receiveMaximum: 3 } });
    const client = await broker.connect('c');
    expect(client.connack?.properties.receiveMaximum).toBe(3);
    for (let n = 1; n <= 3; n++) {
      client.publish('a', 'x', { qos: 2, packetId: n });
      await client.receive('pubrec');
    }
    await client.ping();
    client.publish('a', 'x', { qos: 2, packetId: 4 });
    await client.expectDisconnected('receive-maximum-exceeded');
  });

  it('[MQTT-3.3.4-7] what is finished does not count', async () => {
    const broker = startTestBroker({ limits: { receiveMaximum: 2 } });
    const client = await broker.connect('c');
    for (let n = 1; n <= 10; n++) {
      client.publish('a', 'x', { qos: 1, packetId: n });
      await client.receive('puback');
      client.publish('a', 'x', { qos: 2, packetId: n });
      await client.receive('pubrec');
      client.ack('pubrel', n);
      await client.receive('pubcomp');
    }
    await client.ping();
  });

  it('[MQTT-3.3.4-7] a burst of QoS 1 messages is acknowledged whole, or ended with 0x93', async () => {
    const broker = startTestBroker({ limits: { receiveMaximum: 5 } });
    const away = await broker.connect('s', { properties: { sessionExpiryInterval: 600 } });
    await away.subscribe('a');
    await away.cut();
    const client = await broker.connect('c');
    client.send(...Array.from({ length: 20 }, () => client.publication('a', 'x', { qos: 1 })));
    const packets = await client.receiveAll();
    const acks = packets.filter((packet) => packet.type === 'puback').map((packet) => packet.packetId);
    expect(acks).toEqual(Array.from({ length: acks.length }, (_, n) => n + 1));
    if (client.closed) expect(packets.at(-1)).toMatchObject({ type: 'disconnect', reasonCode: 0x93 });
    else expect(acks).toHaveLength(20);
  });

  describe('on the next connection', () => {
    const KEPT = { sessionExpiryInterval: 600 };
    const back = (broker: TestBroker) => broker.connect('c', { cleanStart: false, properties: KEPT });

    /** Leaves so many QoS 2 messages without their PUBREL. */
    async function leave(client: RawClient, first: number, count: number): Promise<void> {
      for (let n = first; n < first + count; n++) {
        client.publish('a', String(n), { qos: 2, packetId: n });
        expect((await client.receive('pubrec')).reasonCode).toBeLessThan(0x80);
      }
    }

    async function release(client: RawClient, packetId: number): Promise<number> {
      client.ack('pubrel', packetId);
      return (await client.receive('pubcomp')).reasonCode;
    }

    it('[MQTT-4.9.0-1] [MQTT-3.3.4-7] what earlier ones left does not count', async () => {
      const broker = startTestBroker({ limits: { receiveMaximum: 3 } });
      const first = await broker.connect('c', { properties: KEPT });
      await leave(first, 1, 3);
      await first.cut();
      const second = await back(broker);
      await leave(second, 11, 3);
      second.publish('a', 'x', { qos: 2, packetId: 14 });
      await second.expectDisconnected('receive-maximum-exceeded');
      const third = await back(broker);
      for (const packetId of [1, 2, 3, 11, 12, 13]) expect(await release(third, packetId)).toBe(0);
    });

    it('[MQTT-4.9.0-2] [MQTT-4.3.3-10] a message that is sent again counts, and is kept once', async () => {
      const broker = startTestBroker({ limits: { receiveMaximum: 3 } });
      const reader = await broker.connect('r');
      await reader.subscribe({ filter: 'a', qos: 0 });
      const first = await broker.connect('c', { properties: KEPT });
      await leave(first, 1, 2);
      await first.cut();
      const second = await back(broker);
      for (const packetId of [1, 2]) {
        second.publish('a', String(packetId), { qos: 2, packetId, dup: true });
        await second.receive('pubrec');
      }
      await leave(second, 3, 1);
      for (const packetId of [1, 2, 3]) expect(await release(second, packetId)).toBe(0);
      expect(await reader.takeMessages(3)).toEqual(['1', '2', '3']);
      await reader.expectNothing();
      await leave(second, 4, 3);
      second.publish('a', 'x', { qos: 2, packetId: 7 });
      await second.expectDisconnected('receive-maximum-exceeded');
    });

    it('[MQTT-4.9.0-2] PUBCOMP for what earlier ones left makes room, but no more than it was', async () => {
      const broker = startTestBroker({ limits: { receiveMaximum: 2 } });
      const first = await broker.connect('c', { properties: KEPT });
      await leave(first, 1, 2);
      await first.cut();
      const second = await back(broker);
      await leave(second, 11, 2);
      expect(await release(second, 1)).toBe(0);
      await leave(second, 13, 1);
      // Nobody knows that message, and the client counts its PUBCOMP all the same.
      for (let n = 0; n < 5; n++) expect(await release(second, 99)).toBe(0x92);
      await leave(second, 14, 1);
      second.publish('a', 'x', { qos: 2, packetId: 15 });
      await second.expectDisconnected('receive-maximum-exceeded');
    });

    it('limits.queueMessagesMax of them are kept; while there are as many, new ones are refused', async () => {
      const broker = startTestBroker({ limits: { receiveMaximum: 2, queueMessagesMax: 4 } });
      for (const n of [1, 3]) {
        const client = await broker.connect('c', { cleanStart: false, properties: KEPT });
        await leave(client, n, 2);
        await client.cut();
      }
      const client = await back(broker);
      client.publish('a', 'x', { qos: 2, packetId: 5 });
      expect((await client.receive('pubrec')).reasonCode).toBe(0x97);
      client.publish('a', 'x', { qos: 1, packetId: 6 });
      expect((await client.receive('puback')).reasonCode).toBeLessThan(0x80);
      expect(await release(client, 1)).toBe(0);
      await leave(client, 5, 1);
    });
  });

  it('[MQTT-4.9.0-1] a client that announces 0 is refused', async () => {
    const client = startTestBroker().open();
    client.sendBytes('10 11 00 04 4d 51 54 54 05 02 00 00 03 21 00 00 00 01 63');
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && [0x81, 0x82].includes(packet.reasonCode))).toBe(true);
    expect(client.closed).toBe(true);
  });
});
