// MQTT 3.1.1, 2: fixed header and packet identifiers.

import { describe, expect, it } from 'vitest';
import { bytesOf, frame, joined, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, connectHeader4, KEPT } from './clients.ts';

describe('flags of the fixed header', () => {
  it('[MQTT-2.2.2-1] [MQTT-2.2.2-2] CONNECT with a reserved flag ends the connection without CONNACK', async () => {
    for (let flags = 1; flags < 16; flags++) {
      const client = startTestBroker().open(4);
      client.sendBytes(frame(0x10 | flags, connectHeader4(0x02), text('c')));
      await client.expectClosed();
    }
  });

  it.each([
    { title: 'PUBACK', type: 0x40, right: 0, body: '00 01' },
    { title: 'PUBREC', type: 0x50, right: 0, body: '00 01' },
    { title: '[MQTT-3.6.1-1] PUBREL', type: 0x60, right: 2, body: '00 01' },
    { title: 'PUBCOMP', type: 0x70, right: 0, body: '00 01' },
    { title: '[MQTT-3.8.1-1] SUBSCRIBE', type: 0x80, right: 2, body: '00 01 00 01 61 00' },
    { title: '[MQTT-3.10.1-1] UNSUBSCRIBE', type: 0xa0, right: 2, body: '00 01 00 01 61' },
    { title: 'PINGREQ', type: 0xc0, right: 0, body: '' },
    { title: '[MQTT-3.14.1-1] DISCONNECT', type: 0xe0, right: 0, body: '' },
  ])(
    '[MQTT-2.2.2-1] [MQTT-2.2.2-2] $title with any flags but its own ends the connection',
    async ({ type, right, body }) => {
      const broker = startTestBroker();
      const other = await connect(broker, 'other');
      for (let flags = 0; flags < 16; flags++) {
        if (flags === right) continue;
        const client = await connect(broker, 'client');
        client.sendBytes(frame(type | flags, body));
        await client.expectClosed();
      }
      await other.ping();
    },
  );

  it('[MQTT-2.2.2-1] what the broker sends has the flags of its type', async () => {
    // The test's own reader refuses anything else, so it is enough to meet every type.
    const broker = startTestBroker();
    const [client, publisher] = [await connect(broker, 'c', KEPT), await connect(broker, 'p')];
    expect((await client.subscribe('a')).type).toBe('suback');
    await publisher.deliver('a', 'one', { qos: 1 });
    await publisher.deliver('a', 'two', { qos: 2 });
    expect(await client.takeMessages(2)).toEqual(['one', 'two']);
    expect((await client.unsubscribe('a')).type).toBe('unsuback');
    await client.ping();
  });

  it.each(['00 00', '20 02 00 00', '90 03 00 01 00', 'b0 02 00 01', 'd0 00', 'f0 00'])(
    '[MQTT-4.8.0-1] a packet that no client sends (%s) ends the connection',
    async (hex) => {
      const broker = startTestBroker();
      const other = await connect(broker, 'other');
      const client = await connect(broker, 'client');
      client.sendBytes(hex);
      await client.expectClosed();
      await other.ping();
    },
  );
});

describe('remaining length', () => {
  it.each(['30 80 80 80 80 01', '30 ff ff ff ff 7f', 'c0 80 80 80 80 00'])(
    '[MQTT-4.8.0-1] a length of five bytes (%s) ends the connection',
    async (hex) => {
      const client = await connect(startTestBroker(), 'c');
      client.sendBytes(hex);
      await client.expectClosed();
    },
  );

  it('lengths of one to three bytes work', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe('a');
    for (const size of [0, 124, 125, 16_380, 16_381, 100_000]) {
      publisher.publish('a', new Uint8Array(size).fill(0x41));
      expect((await subscriber.receive('publish')).payload.length).toBe(size);
    }
  });
});

describe('packet identifiers', () => {
  it.each([
    ['PUBLISH with QoS 1', frame(0x32, text('a'), uint16(0), 0x78)],
    ['PUBLISH with QoS 2', frame(0x34, text('a'), uint16(0), 0x78)],
    ['SUBSCRIBE', frame(0x82, uint16(0), text('a'), 0)],
    ['UNSUBSCRIBE', frame(0xa2, uint16(0), text('a'))],
  ])('[MQTT-2.3.1-1] %s with identifier 0 ends the connection', async (_name, packet) => {
    const broker = startTestBroker();
    const watcher = await connect(broker, 'watcher');
    await watcher.subscribe('#');
    const client = await connect(broker, 'client');
    client.sendBytes(packet);
    await client.expectClosed();
    await watcher.expectNothing();
  });

  it('[MQTT-2.3.1-5] bytes behind the topic of a QoS 0 PUBLISH are payload, in and out', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe('a');
    publisher.sendBytes(frame(0x30, text('a'), '00 01 78'));
    expect([...(await subscriber.receive('publish')).payload]).toEqual([0, 1, 0x78]);
  });

  it('[MQTT-2.3.1-4] those of the broker are never 0, differ while open, and stay the same when sent again', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const first = await connect(broker, 's', KEPT);
    await first.subscribe('a');
    for (let n = 0; n < 30; n++) publisher.publish('a', String(n), { qos: n % 2 === 0 ? 1 : 2 });
    await publisher.receiveAll();
    for (let id = 2; id <= 30; id += 2) publisher.ack('pubrel', id);
    const sent = (await first.receiveAll()).map((packet) => (packet.type === 'publish' ? packet.packetId : -1));
    expect(sent).toHaveLength(30);
    expect(new Set(sent).size).toBe(30);
    expect(Math.min(...sent)).toBeGreaterThan(0);
    await first.cut();
    const again = await connect(broker, 's', KEPT);
    const resent = (await again.receiveAll()).map((packet) => (packet.type === 'publish' ? packet.packetId : -1));
    expect(resent).toEqual(sent);
  });

  it('[MQTT-2.3.1-6] PUBACK, PUBREC and PUBCOMP repeat the identifier', async () => {
    const client = await connect(startTestBroker(), 'c');
    for (const packetId of [1, 255, 256, 65_535]) {
      client.publish('a', '', { qos: 1, packetId });
      expect(await client.receive('puback')).toMatchObject({ packetId });
      client.publish('a', '', { qos: 2, packetId });
      expect(await client.receive('pubrec')).toMatchObject({ packetId });
      client.ack('pubrel', packetId);
      expect(await client.receive('pubcomp')).toMatchObject({ packetId });
    }
  });

  it('[MQTT-2.3.1-6] PUBREL repeats the identifier of PUBLISH', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'x', { qos: 2 });
    const { packetId } = await subscriber.expectMessage('a', 'x');
    subscriber.ack('pubrec', packetId);
    expect(await subscriber.receive('pubrel')).toMatchObject({ packetId });
  });

  it('[MQTT-2.3.1-7] SUBACK and UNSUBACK repeat the identifier', async () => {
    const client = await connect(startTestBroker(), 'c');
    for (const packetId of [1, 255, 256, 65_535]) {
      client.sendBytes(frame(0x82, uint16(packetId), text('a'), 1));
      expect(await client.receive('suback')).toMatchObject({ packetId });
      client.sendBytes(frame(0xa2, uint16(packetId), text('a')));
      expect(await client.receive('unsuback')).toMatchObject({ packetId });
    }
  });

  it('the same number may be in use in both directions at once', async () => {
    const client = await connect(startTestBroker(), 'c');
    await client.subscribe('a');
    client.publish('a', 'x', { qos: 2, packetId: 1 });
    await client.receive('pubrec');
    client.ack('pubrel', 1);
    const packets = await client.receiveAll();
    expect(packets.map((packet) => packet.type).sort()).toEqual(['pubcomp', 'publish']);
    client.ack('pubrec', 1);
    expect(await client.receive('pubrel')).toMatchObject({ packetId: 1 });
    client.publish('b', 'y', { qos: 2, packetId: 1 });
    expect(await client.receive('pubrec')).toMatchObject({ packetId: 1 });
    client.sendBytes(joined([bytesOf('70 02 00 01'), bytesOf('62 02 00 01')]));
    expect(await client.receive('pubcomp')).toMatchObject({ packetId: 1 });
  });
});
