// MQTT 5.0, 3.3.1.1 and 3.3.1.2: DUP and QoS of PUBLISH, both ways.

import { describe, expect, it } from 'vitest';
import { block, frame, startTestBroker, text, uint16 } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('DUP', () => {
  it.each([1, 2] as const)(
    '[MQTT-3.3.1-1] [MQTT-4.3.2-3] [MQTT-4.3.3-3] a message sent again at QoS %i carries it',
    async (qos) => {
      const broker = startTestBroker();
      const publisher = await broker.connect('p');
      const first = await broker.connect('c', { properties: KEPT });
      await first.subscribe({ filter: 'a', qos });
      publisher.publish('a', 'x', { qos });
      await publisher.receiveAll();
      if (qos === 2) publisher.ack('pubrel', 1);
      const original = await first.expectMessage('a', 'x');
      expect(original.dup).toBe(false);
      await first.cut();
      const second = await broker.connect('c', { cleanStart: false, properties: KEPT });
      const again = await second.expectMessage('a', 'x');
      expect(again).toMatchObject({ dup: true, qos, packetId: original.packetId });
    },
  );

  it('[MQTT-3.3.1-2] [MQTT-4.3.1-1] QoS 0 messages never carry it', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c');
    await client.subscribe({ filter: 'a', qos: 0 });
    client.publish('a', 'x', { qos: 1, dup: true });
    await client.receive('publish').then((message) => expect(message).toMatchObject({ qos: 0, dup: false }));
  });

  it('[MQTT-3.3.1-2] a QoS 0 message that comes with it ends the connection', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c');
    client.sendBytes(frame(0x38, text('a'), block()));
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });

  it.each([1, 2] as const)('[MQTT-3.3.1-3] is not passed on from the publisher at QoS %i', async (qos) => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    publisher.publish('a', 'x', { qos, dup: true, packetId: 5 });
    await publisher.receiveAll();
    if (qos === 2) publisher.ack('pubrel', 5);
    expect((await subscriber.expectMessage('a', 'x')).dup).toBe(false);
  });
});

describe('QoS', () => {
  it('[MQTT-3.3.1-4] both bits set end the connection', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(0x36, text('a'), uint16(1), block()));
    await client.expectDisconnected('malformed-packet');
  });

  it('[MQTT-3.3.4-1] 0 is not answered, 1 with PUBACK, 2 with PUBREC', async () => {
    const client = await startTestBroker().connect('c');
    client.publish('a', 'x');
    await client.expectNothing();
    client.publish('a', 'x', { qos: 1, packetId: 10 });
    expect(await client.receive('puback')).toMatchObject({ packetId: 10 });
    client.publish('a', 'x', { qos: 2, packetId: 11 });
    expect(await client.receive('pubrec')).toMatchObject({ packetId: 11 });
  });
});
