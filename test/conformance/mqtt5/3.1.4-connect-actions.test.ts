// MQTT 5.0, 3.1.4: accepting, refusing and taking over.

import { describe, expect, it } from 'vitest';
import { refuse } from '../../../packages/broker/src/ports/verdict.ts';
import { bytesOf, connectHeader, frame, startTestBroker, text, will } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('accepting', () => {
  it('[MQTT-3.1.4-5] the smallest CONNECT there is gets CONNACK 0x00', async () => {
    const client = startTestBroker().open();
    client.sendBytes(frame(0x10, connectHeader(0x02), text('c')));
    expect(await client.receive('connack')).toMatchObject({ sessionPresent: false, reasonCode: 0 });
  });

  it('a CONNECT that comes byte by byte is the same', async () => {
    const client = startTestBroker().open();
    for (const byte of frame(0x10, connectHeader(0x02), text('c'))) client.sendBytes(Uint8Array.of(byte));
    expect((await client.receive('connack')).reasonCode).toBe(0);
  });

  it('packets behind CONNECT in the same chunk are worked on after it', async () => {
    const client = startTestBroker().open();
    client.sendBytes(
      Buffer.concat([
        frame(0x10, connectHeader(0x02), text('c')),
        bytesOf('82 07 00 01 00 00 01 61 00'),
        bytesOf('c0 00'),
      ]),
    );
    await client.receive('connack');
    await client.receive('suback');
    await client.receive('pingresp');
  });
});

describe('refusing', () => {
  it('[MQTT-3.1.4-2] [MQTT-3.2.2-7] a guard that says no ends the connection with its reason', async () => {
    const broker = startTestBroker({
      authenticate: () => Promise.resolve(refuse('bad-user-name-or-password', 'wrong password', 'test')),
    });
    const client = broker.open();
    client.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties: {} });
    const connack = await client.expectRefused('bad-user-name-or-password');
    expect(connack.sessionPresent).toBe(false);
  });

  it('[MQTT-3.1.4-2] a guard that throws, or never answers, is a no', async () => {
    const throwing = startTestBroker({
      authenticate: () => Promise.reject(new Error('no connection to the directory')),
    });
    const one = throwing.open();
    one.sendBytes(frame(0x10, connectHeader(0x02), text('c')));
    const packets = await one.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode >= 0x80)).toBe(true);
    expect(one.closed).toBe(true);

    const silent = startTestBroker({ authenticate: () => new Promise(() => undefined) });
    const other = silent.open();
    other.sendBytes(frame(0x10, connectHeader(0x02), text('c')));
    await other.expectNothing();
    await silent.advance(12_000);
    const late = await other.receiveAll();
    expect(late.every((packet) => packet.type === 'connack' && packet.reasonCode >= 0x80)).toBe(true);
    expect(other.closed).toBe(true);
  });

  it('[MQTT-3.1.4-6] nothing behind a refused CONNECT is worked on', async () => {
    let answer: 'refuse' | 'take' = 'take';
    const identity = { realm: 'test', name: 'x', kind: 'user', roles: [] } as const;
    const broker = startTestBroker({
      authenticate: () =>
        Promise.resolve(
          answer === 'take'
            ? { allow: true, identity, data: undefined, expiresAtMs: 0 }
            : refuse('not-authorized', 'the test says no', 'test'),
        ),
    });
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('#');
    answer = 'refuse';
    const client = broker.open();
    client.send(
      { type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties: {} },
      client.publication('a', 'x', { qos: 1, retain: true }),
      { type: 'pingreq' },
    );
    await client.expectRefused('not-authorized');
    await watcher.expectNothing();
    answer = 'take';
    const late = await broker.connect('late');
    await late.subscribe('#');
    await late.expectNothing();
  });

  it('[MQTT-3.1.4-2] a will that may not be published is refused with 0x87', async () => {
    const broker = startTestBroker({ rules: ['allow all ok/#'] });
    const client = broker.open();
    const packet = {
      type: 'connect',
      version: 5,
      clientId: 'c',
      cleanStart: true,
      keepAlive: 0,
      properties: {},
    } as const;
    client.send({ ...packet, will: will('secret', 'x') });
    await client.expectRefused('not-authorized');
    expect((await broker.open().connect('c', { will: will('ok/1', 'x') })).reasonCode).toBe(0);
  });

  it('[MQTT-3.2.2-6] a refusal says nothing of the session that is there', async () => {
    let answer: 'refuse' | 'take' = 'take';
    const identity = { realm: 'test', name: 'x', kind: 'user', roles: [] } as const;
    const broker = startTestBroker({
      authenticate: () =>
        Promise.resolve(
          answer === 'take'
            ? { allow: true, identity, data: undefined, expiresAtMs: 0 }
            : refuse('not-authorized', 'the test says no', 'test'),
        ),
    });
    const first = await broker.connect('c', { properties: KEPT });
    answer = 'refuse';
    const second = broker.open();
    const packet = {
      type: 'connect',
      version: 5,
      clientId: 'c',
      cleanStart: false,
      keepAlive: 0,
      properties: {},
    } as const;
    second.send(packet);
    expect((await second.expectRefused('not-authorized')).sessionPresent).toBe(false);
    // A refused CONNECT takes nothing over.
    await first.ping();
  });
});

describe('taking over', () => {
  it('[MQTT-3.1.4-3] the connection that was there is told 0x8E and closed, others are not', async () => {
    const broker = startTestBroker();
    const bystander = await broker.connect('bystander');
    const first = await broker.connect('c');
    const second = await broker.connect('c');
    await first.expectDisconnected('session-taken-over');
    await second.ping();
    await bystander.ping();
  });

  it('[MQTT-3.1.4-3] the session goes on without losing or repeating an acknowledged message', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('c', { properties: KEPT });
    await first.subscribe('a');
    publisher.publish('a', '1', { qos: 1 });
    publisher.publish('a', '2', { qos: 1 });
    const taken = await first.receive('publish');
    first.ack('puback', taken.packetId);
    await first.receive('publish');
    const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(second.connack?.sessionPresent).toBe(true);
    await first.expectDisconnected('session-taken-over');
    publisher.publish('a', '3', { qos: 1 });
    expect(await second.takeMessages(2)).toEqual(['2', '3']);
    await second.expectNothing();
  });

  it('[MQTT-3.1.4-3] many at once leave exactly one', async () => {
    const broker = startTestBroker();
    const clients = Array.from({ length: 8 }, () => broker.open());
    for (const client of clients) {
      client.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: false, keepAlive: 0, properties: KEPT });
    }
    for (const client of clients) await client.receiveAll();
    expect(clients.filter((client) => !client.closed)).toHaveLength(1);
  });
});
