// MQTT 5.0, 3.3.2.3.4: topic aliases from the client to the broker. The other direction: 3.1.2-properties.

import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../packages/broker/src/ports/limits.ts';
import { block, frame, startTestBroker, text } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };
const MAXIMUM = DEFAULT_LIMITS.topicAliasMax;

describe('topic alias', () => {
  it('[MQTT-3.3.2-12] every value from 1 to the maximum stands for its topic, and may be given to another', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe({ filter: '#', qos: 0 });
    for (let alias = 1; alias <= MAXIMUM; alias++)
      publisher.publish(`t/${alias}`, 'set', { properties: { topicAlias: alias } });
    for (let alias = MAXIMUM; alias >= 1; alias--)
      publisher.publish('', `use ${alias}`, { properties: { topicAlias: alias } });
    publisher.publish('other', 'changed', { properties: { topicAlias: 1 } });
    publisher.publish('', 'after', { properties: { topicAlias: 1 } });
    for (let alias = 1; alias <= MAXIMUM; alias++) await subscriber.expectMessage(`t/${alias}`, 'set');
    for (let alias = MAXIMUM; alias >= 1; alias--) await subscriber.expectMessage(`t/${alias}`, `use ${alias}`);
    await subscriber.expectMessage('other', 'changed');
    await subscriber.expectMessage('other', 'after');
  });

  it('works at every QoS, and is not passed on', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    publisher.publish('a', '0', { properties: { topicAlias: 1 } });
    publisher.publish('', '1', { qos: 1, properties: { topicAlias: 1 } });
    publisher.publish('', '2', { qos: 2, packetId: 9, properties: { topicAlias: 1 } });
    await publisher.receiveAll();
    publisher.publish('b', 'the alias moves before the message is released', { properties: { topicAlias: 1 } });
    publisher.ack('pubrel', 9);
    for (const payload of ['0', '1', '2']) {
      expect((await subscriber.expectMessage('a', payload)).properties.topicAlias).toBeUndefined();
    }
  });

  it('[MQTT-3.3.2-8] 0 ends the connection with 0x94', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(0x30, text('a'), block(0x23, 0, 0)));
    await client.expectDisconnected('topic-alias-invalid');
  });

  it('an alias that stands for nothing ends the connection', async () => {
    const client = await startTestBroker().connect('c');
    client.publish('', 'x', { properties: { topicAlias: 1 } });
    await client.expectDisconnected('protocol-error', 'topic-alias-invalid');
  });

  it('neither topic nor alias ends the connection', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(0x30, text(''), block()));
    await client.expectDisconnected('protocol-error', 'topic-name-invalid', 'malformed-packet');
  });

  it('[MQTT-3.3.2-7] does not outlive its connection, also not when the session does', async () => {
    const broker = startTestBroker();
    const first = await broker.connect('c', { properties: KEPT });
    first.publish('a', 'x', { properties: { topicAlias: 1 } });
    await first.cut();
    const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(second.connack?.sessionPresent).toBe(true);
    second.publish('', 'x', { properties: { topicAlias: 1 } });
    await second.expectDisconnected('protocol-error', 'topic-alias-invalid');
  });

  it('[MQTT-3.3.2-7] the broker starts anew with its own aliases after a reconnect', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const properties = { ...KEPT, topicAliasMaximum: 5 };
    const first = await broker.connect('s', { properties });
    await first.subscribe('a');
    for (const payload of ['1', '2']) publisher.publish('a', payload);
    await first.receive('publish');
    await first.receive('publish');
    await first.cut();
    const second = await broker.connect('s', { cleanStart: false, properties });
    publisher.publish('a', '3');
    expect((await second.receive('publish')).topic).toBe('a');
  });

  it("another client's aliases are its own", async () => {
    const broker = startTestBroker();
    const [one, other] = [await broker.connect('one'), await broker.connect('other')];
    one.publish('a', 'x', { properties: { topicAlias: 1 } });
    await one.ping();
    other.publish('', 'x', { properties: { topicAlias: 1 } });
    await other.expectDisconnected('protocol-error', 'topic-alias-invalid');
  });

  it('rights are asked for the real topic', async () => {
    const broker = startTestBroker({ rules: ['allow all #', 'deny publish secret'] });
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('#');
    publisher.publish('secret', 'x', { qos: 1, properties: { topicAlias: 1 } });
    expect((await publisher.receive('puback')).reasonCode).toBe(0x87);
    publisher.publish('', 'y', { qos: 1, properties: { topicAlias: 1 } });
    expect((await publisher.receive('puback')).reasonCode).toBe(0x87);
    await subscriber.expectNothing();
  });
});
