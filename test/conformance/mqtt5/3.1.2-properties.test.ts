// MQTT 5.0, 3.1.2.11: what the properties of CONNECT oblige the broker to.

import type { Packet } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker, type TestBroker } from '../../harness/index.ts';

/** Bytes of a QoS 0 PUBLISH to "a" with a payload of `length` bytes and no property: header 2, topic 3, properties 1. */
const payloadFor = (packetBytes: number) => 'x'.repeat(packetBytes - 6);

async function pair(broker: TestBroker, maximumPacketSize: number): Promise<[RawClient, RawClient]> {
  const subscriber = await broker.connect('s', { properties: { maximumPacketSize } });
  return [subscriber, await broker.connect('p')];
}

describe('Maximum Packet Size', () => {
  it('[MQTT-3.1.2-24] [MQTT-3.1.2-25] a larger message is dropped, the next one comes', async () => {
    const [subscriber, publisher] = await pair(startTestBroker(), 40);
    await subscriber.subscribe('a');
    publisher.publish('a', payloadFor(41));
    publisher.publish('a', payloadFor(40));
    publisher.publish('a', payloadFor(39));
    expect((await subscriber.receive('publish')).payload).toHaveLength(34);
    expect((await subscriber.receive('publish')).payload).toHaveLength(33);
    await subscriber.expectNothing();
  });

  it.each([1, 2] as const)(
    '[MQTT-3.1.2-25] at QoS %i a dropped message counts as sent: no window, no queue, no resend',
    async (qos) => {
      const broker = startTestBroker();
      const properties = { maximumPacketSize: 40, receiveMaximum: 1, sessionExpiryInterval: 600 };
      const subscriber = await broker.connect('s', { properties });
      const publisher = await broker.connect('p');
      await subscriber.subscribe('a');
      for (let n = 0; n < 3; n++) {
        const packetId = publisher.publish('a', 'x'.repeat(60), { qos });
        await publisher.receive(qos === 1 ? 'puback' : 'pubrec');
        if (qos === 2) {
          publisher.ack('pubrel', packetId);
          await publisher.receive('pubcomp');
        }
      }
      publisher.publish('a', 'short', { qos: 1 });
      await subscriber.expectMessage('a', 'short');
      await subscriber.cut();
      const again = await broker.connect('s', { cleanStart: false, properties: { sessionExpiryInterval: 600 } });
      await again.expectMessage('a', 'short');
      await again.expectNothing();
    },
  );

  it('[MQTT-3.1.2-24] [MQTT-3.1.2-25] holds for retained and for queued messages', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { properties: { sessionExpiryInterval: 600 } });
    await away.subscribe('q');
    await away.cut();
    publisher.publish('r', 'x'.repeat(60), { retain: true });
    publisher.publish('q', 'x'.repeat(60), { qos: 1 });
    publisher.publish('q', 'short', { qos: 1 });
    await publisher.receiveAll();
    const properties = { maximumPacketSize: 40, sessionExpiryInterval: 600 };
    const subscriber = await broker.connect('s', { cleanStart: false, properties });
    await subscriber.expectMessage('q', 'short');
    await subscriber.subscribe('r');
    await subscriber.expectNothing();
  });
});

describe('Maximum Packet Size below what the broker would like to say', () => {
  it.each([5, 10, 20, 30])(
    '[MQTT-3.1.2-24] %i bytes: no packet is larger, CONNACK included',
    async (maximumPacketSize) => {
      const broker = startTestBroker({ rules: ['allow all #', 'deny all secret/#'] });
      const client = broker.open();
      const properties = { maximumPacketSize };
      client.send({ type: 'connect', version: 5, clientId: '', cleanStart: true, keepAlive: 0, properties });
      await client.receiveAll();
      client.requestSubscribe(['a', 'secret/a']);
      client.publish('secret/a', 'x', { qos: 1 });
      client.ack('pubrel', 9);
      client.publish('', 'x', { properties: { topicAlias: 9 } });
      await client.receiveAll();
      expect(client.largestPacket).toBeLessThanOrEqual(maximumPacketSize);
      expect(client.closed).toBe(true);
    },
  );
});

describe('Topic Alias Maximum', () => {
  async function aliasesSeen(topicAliasMaximum: number | undefined): Promise<number[]> {
    const broker = startTestBroker();
    const properties = topicAliasMaximum === undefined ? {} : { topicAliasMaximum };
    const [subscriber, publisher] = [await broker.connect('s', { properties }), await broker.connect('p')];
    await subscriber.subscribe('#');
    for (let n = 0; n < 30; n++) publisher.publish(`topic/${n % 6}`, String(n));
    const topics = new Map<number, string>();
    const aliases: number[] = [];
    for (let n = 0; n < 30; n++) {
      const message = await subscriber.receive('publish');
      const alias = message.properties.topicAlias;
      if (alias !== undefined) {
        aliases.push(alias);
        if (message.topic !== '') topics.set(alias, message.topic);
      }
      expect(message.topic === '' ? topics.get(alias ?? 0) : message.topic).toBe(`topic/${n % 6}`);
    }
    return aliases;
  }

  it('[MQTT-3.1.2-26] [MQTT-3.3.2-11] no alias is above it, and each stands for the right topic', async () => {
    const aliases = await aliasesSeen(2);
    expect(aliases.every((alias) => alias === 1 || alias === 2)).toBe(true);
  });

  it('takes a large one without going beyond its own limit', async () => {
    const aliases = await aliasesSeen(65_535);
    expect(aliases.every((alias) => alias >= 1)).toBe(true);
  });

  it.each([0, undefined])('[MQTT-3.1.2-27] %s means none at all', async (maximum) => {
    expect(await aliasesSeen(maximum)).toEqual([]);
  });
});

describe('Request Response Information', () => {
  it.each([0, undefined])('[MQTT-3.1.2-28] %s: no Response Information', async (value) => {
    const properties = value === undefined ? {} : { requestResponseInformation: value };
    const client = await startTestBroker().connect('c', { properties });
    expect(client.connack?.properties.responseInformation).toBeUndefined();
  });
});

describe('Request Problem Information', () => {
  const silent = (packet: Packet) => {
    const properties = 'properties' in packet ? (packet.properties as Record<string, unknown>) : {};
    return !('reasonString' in properties) && !('userProperty' in properties);
  };

  it('[MQTT-3.1.2-29] 0: acknowledgements say no more than their code, PUBLISH keeps its properties', async () => {
    const broker = startTestBroker({ rules: ['allow all #', 'deny all secret/#'] });
    const client = await broker.connect('c', { properties: { requestProblemInformation: 0 } });
    const answers: Packet[] = [await client.subscribe(['ok', 'secret/x', 'a/#/b'])];
    client.publish('secret/x', 'x', { qos: 1 });
    answers.push(await client.receive('puback'));
    client.publish('secret/x', 'x', { qos: 2 });
    answers.push(await client.receive('pubrec'));
    client.ack('pubrel', 999);
    answers.push(await client.receive('pubcomp'));
    client.ack('pubrec', 999);
    answers.push(await client.receive('pubrel'));
    answers.push(await client.unsubscribe('never'));
    expect(answers.every(silent)).toBe(true);
    client.publish('ok', 'x', { properties: { userProperty: [['a', 'b']] } });
    expect((await client.receive('publish')).properties.userProperty).toEqual([['a', 'b']]);
  });
});
