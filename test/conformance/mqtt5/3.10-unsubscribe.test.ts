// MQTT 5.0, 3.10 and 3.11: UNSUBSCRIBE and its UNSUBACK.

import { describe, expect, it } from 'vitest';
import { block, frame, startTestBroker, uint16 } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('UNSUBACK', () => {
  it('[MQTT-3.10.4-4] [MQTT-3.10.4-5] answers with the identifier, also when there was nothing to remove', async () => {
    const client = await startTestBroker().connect('c');
    await client.subscribe('a');
    client.send({ type: 'unsubscribe', packetId: 500, filters: ['a'], properties: {} });
    expect(await client.receive('unsuback')).toMatchObject({ packetId: 500, reasonCodes: [0x00] });
    client.send({ type: 'unsubscribe', packetId: 501, filters: ['a'], properties: {} });
    expect(await client.receive('unsuback')).toMatchObject({ packetId: 501, reasonCodes: [0x11] });
  });

  it('[MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] has a code for each filter, in their order', async () => {
    const client = await startTestBroker().connect('c');
    await client.subscribe(['a', 'c', '$share/g/d']);
    const { reasonCodes } = await client.unsubscribe(
      'a',
      'b',
      'c',
      'a',
      '$share/g/d',
      '$share/other/d',
      'bad/#/filter',
    );
    expect(reasonCodes.slice(0, 6)).toEqual([0x00, 0x11, 0x00, 0x11, 0x00, 0x11]);
    expect([0x11, 0x8f]).toContain(reasonCodes[6]);
    client.publish('a', 'x');
    client.publish('c', 'x');
    client.publish('d', 'x');
    await client.expectNothing();
  });

  it('[MQTT-3.11.2-1] [MQTT-3.11.2-2] fits the Maximum Packet Size of the client', async () => {
    const client = await startTestBroker().connect('c', { properties: { maximumPacketSize: 24 } });
    const { properties } = await client.unsubscribe('a');
    expect(properties.userProperty).toBeUndefined();
    expect((properties.reasonString ?? '').length).toBeLessThanOrEqual(13);
  });
});

describe('what ends the connection', () => {
  it('[MQTT-3.10.3-2] no filter', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(0xa2, uint16(1), block()));
    await client.expectDisconnected('protocol-error', 'malformed-packet');
  });
});

describe('which subscription goes', () => {
  it.each([
    ['a/+', ['a/b', 'a/#', '+/+', 'A/+', 'a/+/']],
    ['a/b', ['a/+', '#', 'a/B', '/a/b', '$share/g/a/b']],
    ['café', ['cafe\u0301', 'CAFÉ']],
  ])('[MQTT-3.10.4-1] the one with exactly this filter: %s', async (filter, others) => {
    const broker = startTestBroker();
    const client = await broker.connect('c');
    await client.subscribe(filter);
    for (const other of others) expect((await client.unsubscribe(other)).reasonCodes).toEqual([0x11]);
    const topic = filter.replace('+', 'x');
    client.publish(topic, 'still');
    await client.expectMessage(topic, 'still');
    expect((await client.unsubscribe(filter)).reasonCodes).toEqual([0x00]);
    client.publish(topic, 'gone');
    await client.expectNothing();
  });

  it('one of two shared subscriptions with the same filter behind them', async () => {
    const broker = startTestBroker();
    const [client, publisher] = [await broker.connect('c'), await broker.connect('p')];
    await client.subscribe(['$share/g/a', '$share/h/a', 'a']);
    await client.unsubscribe('$share/g/a');
    publisher.publish('a', 'x');
    expect((await client.receiveAll()).length).toBe(2);
  });

  it('another client keeps its own', async () => {
    const broker = startTestBroker();
    const [one, other] = [await broker.connect('one'), await broker.connect('other')];
    await one.subscribe('a');
    await other.subscribe('a');
    await one.unsubscribe('a');
    one.publish('a', 'x');
    await other.expectMessage('a', 'x');
    await one.expectNothing();
  });
});

describe('after it', () => {
  it('[MQTT-3.10.4-2] no new message comes, but those of other filters do, also after a reconnect', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('c', { properties: KEPT });
    await first.subscribe(['a/b', 'a/+'], { subscriptionIdentifier: [7] });
    await first.unsubscribe('a/b');
    await publisher.deliver('a/b', '1');
    await first.takeMessages(1);
    await first.unsubscribe('a/+');
    await publisher.deliver('a/b', '2');
    await first.expectNothing();
    await first.cut();
    await publisher.deliver('a/b', '3');
    const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(second.connack?.sessionPresent).toBe(true);
    await second.expectNothing();
  });

  it('[MQTT-3.10.4-3] a QoS 2 exchange that was begun is completed', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const client = await broker.connect('c');
    await client.subscribe('a');
    await publisher.deliver('a', 'x', { qos: 2 });
    const { packetId } = await client.expectMessage('a', 'x');
    await client.unsubscribe('a');
    client.ack('pubrec', packetId);
    expect(await client.receive('pubrel')).toMatchObject({ packetId, reasonCode: 0 });
    client.ack('pubcomp', packetId);
    await client.expectNothing();
  });

  it('[MQTT-3.10.4-3] an unacknowledged message is sent again in the next connection', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('c', { properties: KEPT });
    await first.subscribe('a');
    await publisher.deliver('a', 'x', { qos: 1 });
    const { packetId } = await first.expectMessage('a', 'x');
    await first.unsubscribe('a');
    await first.cut();
    const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
    expect(await second.expectMessage('a', 'x')).toMatchObject({ packetId, dup: true });
  });
});
