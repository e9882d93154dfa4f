// MQTT 3.1.1, 3.10 and 3.11: UNSUBSCRIBE and UNSUBACK.

import { describe, expect, it } from 'vitest';
import { frame, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, KEPT, payloadsOf } from './clients.ts';

describe('UNSUBSCRIBE', () => {
  it.each([
    { title: '[MQTT-3.10.3-2] without a filter', body: '00 01' },
    { title: '[MQTT-3.10.3-1] with half a filter', body: '00 01 00 05 61' },
    { title: '[MQTT-3.10.3-1] with a byte between two filters', body: '00 01 00 01 61 00 00 01 62' },
  ])('$title ends the connection', async ({ body }) => {
    const broker = startTestBroker();
    const other = await connect(broker, 'other');
    const client = await connect(broker, 'client');
    client.sendBytes(frame(0xa2, body));
    await client.expectClosed();
    await other.ping();
  });

  it('[MQTT-3.10.4-1] removes the filter that is equal, character for character, and no other', async () => {
    const broker = startTestBroker();
    const [client, publisher] = [await connect(broker, 'c'), await connect(broker, 'p')];
    await client.subscribe(['a/+', 'b', 'caf\u00e9']);
    await client.unsubscribe('a/b', 'a/#', '+/+', '#', 'B', 'b/', 'cafe\u0301');
    for (const topic of ['a/b', 'b', 'caf\u00e9']) publisher.publish(topic, topic);
    expect(payloadsOf(await client.receiveAll())).toEqual(['a/b', 'b', 'caf\u00e9']);
    await client.unsubscribe('a/+', 'caf\u00e9');
    for (const topic of ['a/b', 'b', 'caf\u00e9']) publisher.publish(topic, topic);
    expect(payloadsOf(await client.receiveAll())).toEqual(['b']);
  });

  it('[MQTT-3.10.4-2] nothing more is queued for it, other filters go on', async () => {
    const broker = startTestBroker();
    const [first, publisher] = [await connect(broker, 'c', KEPT), await connect(broker, 'p')];
    await first.subscribe(['a/b', 'a/+']);
    await first.unsubscribe('a/b');
    await publisher.deliver('a/b', 'by the other');
    expect(await first.takeMessages(1)).toEqual(['by the other']);
    await first.unsubscribe('a/+');
    await first.disconnect();
    await publisher.deliver('a/b', 'x');
    const second = await connect(broker, 'c', KEPT);
    expect(second.connack?.sessionPresent).toBe(true);
    await publisher.deliver('a/b', 'y');
    await second.expectNothing();
  });

  it('[MQTT-3.10.4-3] deliveries under way are carried to their end', async () => {
    const broker = startTestBroker();
    const [first, publisher] = [await connect(broker, 'c', KEPT), await connect(broker, 'p')];
    await first.subscribe('a');
    await publisher.deliver('a', 'one', { qos: 1 });
    await publisher.deliver('a', 'two', { qos: 2 });
    const [one, two] = [await first.expectMessage('a', 'one'), await first.expectMessage('a', 'two')];
    first.ack('pubrec', two.packetId);
    await first.receive('pubrel');
    await first.unsubscribe('a');
    await first.cut();
    const second = await connect(broker, 'c', KEPT);
    expect(await second.receiveAll()).toMatchObject([
      { type: 'publish', packetId: one.packetId, dup: true },
      { type: 'pubrel', packetId: two.packetId },
    ]);
    second.ack('puback', one.packetId);
    second.ack('pubcomp', two.packetId);
    await second.cut();
    await (await connect(broker, 'c', KEPT)).expectNothing();
  });
});

describe('UNSUBACK', () => {
  it('[MQTT-3.10.4-4] [MQTT-3.10.4-5] comes with the identifier, whether or not anything was removed', async () => {
    const client = await connect(startTestBroker(), 'c');
    await client.subscribe('a');
    for (const id of [9, 8]) client.sendBytes(frame(0xa2, uint16(id), text('a')));
    client.sendBytes(frame(0xa2, uint16(7), text('never')));
    expect(await client.receiveAll()).toMatchObject([9, 8, 7].map((packetId) => ({ type: 'unsuback', packetId })));
  });

  it('[MQTT-3.10.4-6] one for many filters, all of which are removed', async () => {
    const broker = startTestBroker();
    const [client, publisher] = [await connect(broker, 'c'), await connect(broker, 'p')];
    await client.subscribe(['a', 'b', 'c']);
    client.sendBytes(frame(0xa2, uint16(5), text('a'), text('unknown'), text('c')));
    expect(await client.receiveAll()).toMatchObject([{ type: 'unsuback', packetId: 5 }]);
    for (const topic of ['a', 'b', 'c']) publisher.publish(topic, topic);
    expect(payloadsOf(await client.receiveAll())).toEqual(['b']);
  });
});
