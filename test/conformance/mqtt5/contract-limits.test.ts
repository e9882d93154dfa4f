// What the reference promises about limits, seen by MQTT 5.0 clients: named codes, a publisher that is never punished for
// somebody else's full queue, and a slow client that costs only itself.

import { describe, expect, it } from 'vitest';
import { bytesOf, startTestBroker } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('the queue of a session', () => {
  it('keeps what came first, drops what does not fit, counts it, and never refuses the publisher', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 5 } });
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe('a');
    await away.cut();
    for (let n = 0; n < 8; n++) expect(await publisher.deliver('a', String(n))).toBe(0x00);
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect(await back.takeMessages(5)).toEqual(['0', '1', '2', '3', '4']);
    await back.expectNothing();
    expect(broker.events.filter((event) => event.name === 'session.dropped-message')).toHaveLength(3);
    expect(await publisher.deliver('a', 'there is room again')).toBe(0x00);
    await back.expectMessage('a', 'there is room again');
  });

  it('is limited in bytes as well', async () => {
    const broker = startTestBroker({ limits: { queueBytesMax: 10_000 } });
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe('a');
    await away.cut();
    for (let n = 0; n < 20; n++) expect(await publisher.deliver('a', 'x'.repeat(2_000))).toBe(0x00);
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    const packets = await back.receiveAll();
    expect(packets.length).toBeGreaterThanOrEqual(3);
    expect(packets.length).toBeLessThanOrEqual(6);
  });

  it('holds also for a connected client with a full window', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 5 } });
    const publisher = await broker.connect('p');
    const subscriber = await broker.connect('s', { properties: { receiveMaximum: 1 } });
    await subscriber.subscribe('a');
    for (let n = 0; n < 20; n++) expect(await publisher.deliver('a', String(n))).toBe(0x00);
    const payloads = await subscriber.takeMessages(5);
    expect(payloads).toEqual(['0', '1', '2', '3', '4']);
    expect((await subscriber.receiveAll()).length).toBeLessThanOrEqual(1);
  });
});

describe('a client that does not read', () => {
  it('loses QoS 0 messages above the limit, and costs nobody else anything', async () => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 200_000 } });
    const [slow, fast, publisher] = [
      await broker.connect('slow'),
      await broker.connect('fast'),
      await broker.connect('p'),
    ];
    await slow.subscribe({ filter: 'a', qos: 0 });
    await fast.subscribe({ filter: 'a', qos: 0 });
    slow.pause();
    for (let n = 0; n < 100; n++) {
      publisher.publish('a', `${n} ${'x'.repeat(10_000)}`);
      await publisher.ping();
      await fast.receive('publish');
    }
    slow.resume();
    const packets = await slow.receiveAll();
    expect(packets.length).toBeGreaterThan(5);
    expect(packets.length).toBeLessThan(60);
    publisher.publish('a', 'after');
    await slow.expectMessage('a', 'after');
    await fast.expectMessage('a', 'after');
  });

  it('gets its QoS 1 messages when it reads again', async () => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 50_000 } });
    const [slow, publisher] = [await broker.connect('slow'), await broker.connect('p')];
    await slow.subscribe('a');
    slow.pause();
    for (let n = 0; n < 60; n++) expect(await publisher.deliver('a', `${n} ${'x'.repeat(5_000)}`)).toBe(0);
    slow.resume();
    const payloads = await slow.takeMessages(60);
    expect(payloads.map((payload) => Number(payload.split(' ')[0]))).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });
});

describe('a client that sends and does not read', () => {
  it.each([
    ['PINGREQ', 'c0 00'],
    ['SUBSCRIBE', '82 07 00 01 00 00 01 61 00'],
    ['PUBLISH with QoS 1', '32 06 00 01 61 00 01 00'],
  ])('is not read either once its answers pile up: %s', async (_name, hex) => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 65_536 } });
    const [client, other] = [await broker.connect('c'), await broker.connect('other')];
    client.pause();
    const chunk = bytesOf(hex.repeat(4_000));
    for (let n = 0; n < 20 && client.unsentBytes === 0; n++) {
      for (let m = 0; m < 5; m++) client.sendBytes(chunk);
      await other.ping();
    }
    expect(client.unsentBytes).toBeGreaterThan(0);
    client.resume();
    const packets = await client.receiveAll();
    expect(packets.length % 4_000).toBe(0);
    expect(client.unsentBytes).toBe(0);
    await other.ping();
  });
});

describe('a client that is ended and does not read', () => {
  it('[MQTT-3.14.4-2] loses its connection all the same, after the time it has to take what was sent', async () => {
    const broker = startTestBroker({ limits: { closeDeadlineMs: 20 } });
    const [client, publisher] = [await broker.connect('c'), await broker.connect('p')];
    await client.subscribe({ filter: 'a', qos: 0 });
    client.pause();
    for (let n = 0; n < 10; n++) publisher.publish('a', 'x'.repeat(50_000));
    await publisher.ping();
    client.sendBytes('00 00');
    // The deadline may run on the broker's clock or on the host's: both move here, until it has passed.
    for (let n = 0; n < 200 && !client.closed; n++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      await broker.advance(10);
    }
    expect(client.closed).toBe(true);
    expect(broker.clients().map(({ clientId }) => clientId)).toEqual(['p']);
  });
});

describe('counts', () => {
  it('a subscription above the limit of a session is refused with 0x97, the others stay', async () => {
    const broker = startTestBroker({ limits: { subscriptionsPerSessionMax: 2 } });
    const client = await broker.connect('c');
    expect((await client.subscribe(['a', 'b', 'c'])).reasonCodes).toEqual([2, 2, 0x97]);
    expect((await client.subscribe({ filter: 'a', qos: 1 })).reasonCodes).toEqual([1]);
    await client.unsubscribe('a');
    expect((await client.subscribe('c')).reasonCodes).toEqual([2]);
    client.publish('b', 'x');
    await client.expectMessage('b', 'x');
  });

  it('so is one above the limit of the broker', async () => {
    const broker = startTestBroker({ limits: { subscriptionsMax: 2 } });
    const [one, other] = [await broker.connect('one'), await broker.connect('other')];
    await one.subscribe(['a', 'b']);
    expect((await other.subscribe('c')).reasonCodes).toEqual([0x97]);
    await one.unsubscribe('a');
    expect((await other.subscribe('c')).reasonCodes).toEqual([2]);
  });

  it('a session above the limit is refused with 0x97', async () => {
    const broker = startTestBroker({ limits: { sessionsMax: 2 } });
    await broker.connect('a', { properties: KEPT });
    const b = await broker.connect('b', { properties: KEPT });
    const c = broker.open();
    c.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties: {} });
    await c.expectRefused('quota-exceeded');
    // A session that is there may be taken up again.
    await b.cut();
    expect((await broker.connect('b', { cleanStart: false })).connack?.sessionPresent).toBe(true);
  });

  it('a retained message above the limit is refused with 0x97, one in the place of another is not', async () => {
    const broker = startTestBroker({ limits: { retainedMessagesMax: 2 } });
    const publisher = await broker.connect('p');
    expect(await publisher.deliver('a', 'x', { retain: true })).toBeLessThan(0x80);
    expect(await publisher.deliver('b', 'x', { retain: true })).toBeLessThan(0x80);
    expect(await publisher.deliver('c', 'x', { retain: true })).toBe(0x97);
    expect(await publisher.deliver('a', 'y', { retain: true })).toBeLessThan(0x80);
    expect(await publisher.deliver('b', '', { retain: true })).toBeLessThan(0x80);
    expect(await publisher.deliver('c', 'x', { retain: true })).toBeLessThan(0x80);
    const late = await broker.connect('late');
    await late.subscribe('#');
    expect((await late.takeMessages(2)).sort()).toEqual(['x', 'y']);
    await late.expectNothing();
  });
});

describe('topic aliases to the client', () => {
  it('come with the first message of a topic while numbers are free', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [
      await broker.connect('s', { properties: { topicAliasMaximum: 2 } }),
      await broker.connect('p'),
    ];
    await subscriber.subscribe('#');
    for (const topic of ['a', 'b', 'c', 'a', 'b', 'c']) publisher.publish(topic, topic);
    const seen = [];
    for (let n = 0; n < 6; n++) {
      const { topic, properties } = await subscriber.receive('publish');
      seen.push([topic, properties.topicAlias]);
    }
    expect(seen).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', undefined],
      ['', 1],
      ['', 2],
      ['c', undefined],
    ]);
  });
});
