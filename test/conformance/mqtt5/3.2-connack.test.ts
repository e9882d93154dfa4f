// MQTT 5.0, 3.2: CONNACK, its flags and properties.

import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../packages/broker/src/ports/limits.ts';
import { refuse } from '../../../packages/broker/src/ports/verdict.ts';
import { block, connectHeader, frame, startTestBroker, text } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('order', () => {
  it('[MQTT-3.2.0-1] CONNACK comes before everything that waited for the session', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('c', { properties: KEPT });
    await first.subscribe('a');
    await first.cut();
    for (let n = 0; n < 20; n++) publisher.publish('a', String(n), { qos: 1 });
    await publisher.receiveAll();
    const second = broker.open();
    second.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: false, keepAlive: 0, properties: KEPT });
    const packets = await second.receiveAll();
    expect(packets.map((packet) => packet.type)).toEqual(['connack', ...Array.from({ length: 20 }, () => 'publish')]);
  });

  it('[MQTT-3.2.0-2] [MQTT-3.2.0-1] there is one CONNACK in a connection, also when it is taken over or errs', async () => {
    const broker = startTestBroker();
    const first = await broker.connect('c');
    await broker.connect('c');
    expect((await first.receiveAll()).map((packet) => packet.type)).toEqual(['disconnect']);
    const second = await broker.connect('d');
    second.send({ type: 'connect', version: 5, clientId: 'd', cleanStart: true, keepAlive: 0, properties: {} });
    expect((await second.receiveAll()).map((packet) => packet.type)).toEqual(['disconnect']);
  });
});

describe('session present', () => {
  it('[MQTT-3.2.2-1] [MQTT-3.2.2-2] is 0 with a clean start, whatever was there', async () => {
    const broker = startTestBroker();
    await broker.connect('c', { properties: KEPT });
    const again = await broker.connect('c', { cleanStart: true, properties: KEPT });
    expect(again.connack).toMatchObject({ sessionPresent: false, reasonCode: 0 });
  });

  it('[MQTT-3.2.2-3] tells whether there is a session otherwise', async () => {
    const broker = startTestBroker();
    const first = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(first.connack).toMatchObject({ sessionPresent: false, reasonCode: 0 });
    await first.cut();
    const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(second.connack).toMatchObject({ sessionPresent: true, reasonCode: 0 });
    const third = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(third.connack).toMatchObject({ sessionPresent: true, reasonCode: 0 });
  });
});

describe('refusals', () => {
  it.each([
    'bad-user-name-or-password',
    'not-authorized',
    'client-identifier-not-valid',
    'server-unavailable',
    'server-busy',
    'banned',
    'quota-exceeded',
    'use-another-server',
    'connection-rate-exceeded',
  ] as const)('[MQTT-3.2.2-8] [MQTT-3.2.2-7] [MQTT-3.2.2-6] %s is sent with its code, then the end', async (reason) => {
    const broker = startTestBroker({ authenticate: () => Promise.resolve(refuse(reason, 'the test says so', 'test')) });
    const client = broker.open();
    client.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties: {} });
    expect((await client.expectRefused(reason)).sessionPresent).toBe(false);
  });

  it('[MQTT-3.2.2-19] [MQTT-3.2.2-20] a refusal fits the Maximum Packet Size of the CONNECT', async () => {
    const because = 'a long explanation that would never fit into eight bytes';
    const broker = startTestBroker({ authenticate: () => Promise.resolve(refuse('not-authorized', because, 'test')) });
    const client = broker.open();
    client.sendBytes(frame(0x10, connectHeader(0x02, block(0x27, 0, 0, 0, 8)), text('c')));
    const connack = await client.expectRefused('not-authorized');
    expect(connack.properties).toEqual({});
  });
});

describe('what the broker announces', () => {
  it('Receive Maximum, Maximum Packet Size and Topic Alias Maximum are the limits that hold (3.2.2.3)', async () => {
    const client = await startTestBroker().connect('c');
    expect(client.connack?.properties).toMatchObject({
      receiveMaximum: DEFAULT_LIMITS.receiveMaximum,
      maximumPacketSize: DEFAULT_LIMITS.packetBytesMax,
      topicAliasMaximum: DEFAULT_LIMITS.topicAliasMax,
    });
  });

  it('QoS 2, retained messages, wildcards, identifiers and shared subscriptions are there (3.2.2.3)', async () => {
    const { connack } = await startTestBroker().connect('c');
    const properties = connack?.properties ?? {};
    expect(properties.maximumQoS).toBeUndefined();
    expect(properties.retainAvailable ?? 1).toBe(1);
    expect(properties.wildcardSubscriptionAvailable ?? 1).toBe(1);
    expect(properties.subscriptionIdentifierAvailable ?? 1).toBe(1);
    expect(properties.sharedSubscriptionAvailable ?? 1).toBe(1);
  });

  it('[MQTT-3.2.2-15] a packet at the announced size is taken, one byte more ends the connection with 0x95', async () => {
    const broker = startTestBroker({ limits: { packetBytesMax: 1000 } });
    const [client, watcher] = [await broker.connect('c'), await broker.connect('w')];
    expect(client.connack?.properties.maximumPacketSize).toBe(1000);
    await watcher.subscribe('a');
    client.publish('a', 'x'.repeat(1000 - 7));
    expect((await watcher.receive('publish')).payload).toHaveLength(993);
    client.publish('a', 'x'.repeat(1001 - 7));
    await client.expectDisconnected('packet-too-large');
    await watcher.expectNothing();
  });

  it('[MQTT-3.2.2-15] the declared length is enough: nothing is waited for', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes('30 ff ff ff 7f');
    await client.expectDisconnected('packet-too-large');
  });

  it('[MQTT-3.2.2-17] [MQTT-3.3.2-9] an alias above the announced maximum ends the connection with 0x94', async () => {
    const client = await startTestBroker().connect('c');
    client.publish('a', 'x', { properties: { topicAlias: DEFAULT_LIMITS.topicAliasMax + 1 } });
    await client.expectDisconnected('topic-alias-invalid');
  });

  it('[MQTT-3.2.2-18] a broker without aliases announces none and takes none', async () => {
    const client = await startTestBroker({ limits: { topicAliasMax: 0 } }).connect('c');
    expect(client.connack?.properties.topicAliasMaximum ?? 0).toBe(0);
    client.publish('a', 'x', { properties: { topicAlias: 1 } });
    await client.expectDisconnected('topic-alias-invalid');
  });

  it('a CONNECT above its own limit is not buffered', async () => {
    const client = startTestBroker({ limits: { connectBytesMax: 200 } }).open();
    client.sendBytes('10 ff ff 7f');
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode === 0x95)).toBe(true);
    expect(client.closed).toBe(true);
  });
});
