// MQTT 5.0, 3.1.2.4, 3.1.2.11.2 and 4.1: sessions begin, go on, expire.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../harness/index.ts';

const NEVER = 0xffff_ffff;
const KEPT = { sessionExpiryInterval: 600 };

describe('clean start', () => {
  it('[MQTT-3.1.2-4] [MQTT-3.1.4-4] with 1 discards subscriptions and waiting messages', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('c', { properties: KEPT });
    await first.subscribe('a');
    await first.cut();
    publisher.publish('a', 'while away', { qos: 1 });
    await publisher.receive('puback');
    const second = await broker.connect('c', { cleanStart: true, properties: KEPT });
    expect(second.connack?.sessionPresent).toBe(false);
    publisher.publish('a', 'to the old filter', { qos: 1 });
    expect((await publisher.receive('puback')).reasonCode).toBe(0x10);
    await second.expectNothing();
    await second.cut();
    const third = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(third.connack?.sessionPresent).toBe(true);
    await third.expectNothing();
  });

  it('[MQTT-3.1.2-5] [MQTT-3.1.4-4] with 0 goes on where the session was', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('c', { properties: KEPT });
    await first.subscribe('a');
    await first.disconnect();
    for (const payload of ['1', '2', '3']) publisher.publish('a', payload, { qos: payload === '2' ? 2 : 1 });
    await publisher.receiveAll();
    publisher.ack('pubrel', 2);
    await publisher.receiveAll();
    const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(second.connack?.sessionPresent).toBe(true);
    expect((await second.takeMessages(3)).sort()).toEqual(['1', '2', '3']);
    publisher.publish('a', '4', { qos: 1 });
    await second.expectMessage('a', '4');
  });

  it('[MQTT-3.1.2-6] [MQTT-3.1.4-4] with 0 and no session makes one', async () => {
    const broker = startTestBroker();
    const first = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(first.connack?.sessionPresent).toBe(false);
    await first.cut();
    const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(second.connack?.sessionPresent).toBe(true);
  });

  it('[MQTT-3.1.3-2] keeps the sessions of two client identifiers apart', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    for (const id of ['c', 'C']) {
      const client = await broker.connect(id, { properties: KEPT });
      await client.subscribe(`to/${id}`);
      await client.cut();
    }
    publisher.publish('to/c', 'for c', { qos: 1 });
    publisher.publish('to/C', 'for C', { qos: 1 });
    await publisher.receiveAll();
    const lower = await broker.connect('c', { cleanStart: false });
    await lower.expectMessage('to/c', 'for c');
    await lower.expectNothing();
    const upper = await broker.connect('C', { cleanStart: false });
    await upper.expectMessage('to/C', 'for C');
    await upper.expectNothing();
  });
});

describe('session expiry', () => {
  it('[MQTT-3.1.2-23] [MQTT-4.1.0-2] keeps the session for its interval and discards it afterwards', async () => {
    const broker = startTestBroker();
    const properties = { sessionExpiryInterval: 10 };
    const first = await broker.connect('c', { properties });
    await first.subscribe('a');
    await first.cut();
    await broker.advance(9_000);
    const second = await broker.connect('c', { cleanStart: false, properties });
    expect(second.connack?.sessionPresent).toBe(true);
    await second.cut();
    await broker.advance(11_000);
    const third = await broker.connect('c', { cleanStart: false, properties });
    expect(third.connack?.sessionPresent).toBe(false);
    const publisher = await broker.connect('p');
    publisher.publish('a', 'x', { qos: 1 });
    expect((await publisher.receive('puback')).reasonCode).toBe(0x10);
    await third.expectNothing();
  });

  it('[MQTT-4.1.0-2] without an interval the session ends with the connection', async () => {
    const broker = startTestBroker();
    const first = await broker.connect('c');
    await first.subscribe('a');
    await first.cut();
    const second = await broker.connect('c', { cleanStart: false });
    expect(second.connack?.sessionPresent).toBe(false);
    await second.cut();
    const publisher = await broker.connect('p');
    publisher.publish('a', 'x', { qos: 1 });
    expect((await publisher.receive('puback')).reasonCode).toBe(0x10);
  });

  it('0xFFFFFFFF never ends', async () => {
    const broker = startTestBroker();
    const first = await broker.connect('c', { properties: { sessionExpiryInterval: NEVER } });
    await first.cut();
    await broker.advance(2 ** 31 * 1000);
    await broker.advance(2 ** 31 * 1000);
    const second = await broker.connect('c', { cleanStart: false });
    expect(second.connack?.sessionPresent).toBe(true);
  });

  it('[MQTT-4.1.0-1] does not run while the client is connected', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const client = await broker.connect('c', { properties: { sessionExpiryInterval: 1 } });
    await client.subscribe('a');
    await broker.advance(3_600_000);
    publisher.publish('a', 'x', { qos: 1 });
    await client.expectMessage('a', 'x');
    const none = await broker.connect('n', { properties: { sessionExpiryInterval: 0 } });
    await none.subscribe('b');
    await broker.advance(3_600_000);
    publisher.publish('b', 'y');
    await none.expectMessage('b', 'y');
  });

  it('DISCONNECT may change it (3.14.2.2.2)', async () => {
    const broker = startTestBroker();
    const shorter = await broker.connect('c', { properties: { sessionExpiryInterval: 600 } });
    await shorter.disconnect(0, { sessionExpiryInterval: 5 });
    await broker.advance(6_000);
    const again = await broker.connect('c', { cleanStart: false, properties: { sessionExpiryInterval: 5 } });
    expect(again.connack?.sessionPresent).toBe(false);
    await again.disconnect(0, { sessionExpiryInterval: 600 });
    await broker.advance(60_000);
    const last = await broker.connect('c', { cleanStart: false });
    expect(last.connack?.sessionPresent).toBe(true);
    await last.disconnect(0);
    expect((await broker.connect('c', { cleanStart: false })).connack?.sessionPresent).toBe(false);
  });

  it('DISCONNECT may not raise it from zero (3.14.2.2.2)', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { properties: { sessionExpiryInterval: 0 } });
    client.send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 60 } });
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'disconnect' && packet.reasonCode === 0x82)).toBe(true);
    expect(client.closed).toBe(true);
    expect((await broker.connect('c', { cleanStart: false })).connack?.sessionPresent).toBe(false);
  });

  it('a shorter one than asked for is told in CONNACK (3.2.2.3.2)', async () => {
    const broker = startTestBroker({ limits: { sessionExpirySecondsMax: 100 } });
    const client = await broker.connect('c', { properties: { sessionExpiryInterval: NEVER } });
    expect(client.connack?.properties.sessionExpiryInterval).toBe(100);
    await client.cut();
    await broker.advance(101_000);
    expect((await broker.connect('c', { cleanStart: false })).connack?.sessionPresent).toBe(false);
  });
});

describe('state outlives the connection', () => {
  it('[MQTT-3.1.2-23] a QoS 2 identifier the client has not released is still known', async () => {
    const broker = startTestBroker();
    const [subscriber, first] = [await broker.connect('s'), await broker.connect('c', { properties: KEPT })];
    await subscriber.subscribe('a');
    first.publish('a', 'once', { qos: 2, packetId: 7 });
    await first.receive('pubrec');
    await first.cut();
    const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
    second.publish('a', 'once', { qos: 2, packetId: 7, dup: true });
    await second.receive('pubrec');
    second.ack('pubrel', 7);
    expect((await second.receive('pubcomp')).reasonCode).toBe(0);
    expect(await subscriber.takeMessages(1)).toEqual(['once']);
    await subscriber.expectNothing();
  });

  it('retained messages are no part of a session (4.1)', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    publisher.publish('a', 'kept', { retain: true });
    await publisher.disconnect();
    const client = await broker.connect('c');
    await client.subscribe('a');
    await client.expectMessage('a', 'kept');
  });
});
