// MQTT 5.0, 2: fixed header flags, packet identifiers and property blocks.

import { describe, expect, it } from 'vitest';
import { block, frame, startTestBroker, text, uint16 } from '../../harness/index.ts';

describe('flags of the fixed header', () => {
  it.each([
    { title: '[MQTT-3.6.1-1] PUBREL', packet: frame(0x60, uint16(1)) },
    { title: '[MQTT-3.8.1-1] SUBSCRIBE', packet: frame(0x80, uint16(1), block(), text('a'), 0) },
    { title: '[MQTT-3.10.1-1] UNSUBSCRIBE', packet: frame(0xa0, uint16(1), block(), text('a')) },
    { title: '[MQTT-2.1.3-1] PUBACK', packet: frame(0x41, uint16(1)) },
    { title: '[MQTT-2.1.3-1] PUBREC', packet: frame(0x52, uint16(1)) },
    { title: '[MQTT-2.1.3-1] PUBCOMP', packet: frame(0x78, uint16(1)) },
    { title: '[MQTT-2.1.3-1] PINGREQ', packet: frame(0xc1) },
    { title: '[MQTT-3.14.1-1] DISCONNECT', packet: frame(0xe1, 0) },
    { title: '[MQTT-3.15.1-1] AUTH', packet: frame(0xf1, 0x18, block()) },
  ])('$title with a reserved flag that is not as listed ends the connection', async ({ packet }) => {
    const client = await startTestBroker().connect('client');
    client.sendBytes(packet);
    await client.expectDisconnected('malformed-packet');
  });

  it('[MQTT-2.1.3-1] CONNECT with a reserved flag of the fixed header is not accepted', async () => {
    const client = startTestBroker().open();
    client.sendBytes(frame(0x11, text('MQTT'), 5, 2, uint16(0), block(), text('c')));
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode >= 0x80)).toBe(true);
    expect(client.closed).toBe(true);
  });

  it('a packet of type 0 ends the connection', async () => {
    const client = await startTestBroker().connect('client');
    client.sendBytes('00 00');
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });

  it.each([
    ['CONNACK', '20 03 00 00 00'],
    ['SUBACK', '90 04 00 01 00 00'],
    ['UNSUBACK', 'b0 04 00 01 00 00'],
    ['PINGRESP', 'd0 00'],
  ])('a %s, which only a server sends, ends the connection', async (_name, hex) => {
    const client = await startTestBroker().connect('client');
    client.sendBytes(hex);
    await client.expectDisconnected('protocol-error', 'malformed-packet');
  });
});

describe('packet identifiers', () => {
  it('[MQTT-2.2.1-2] a QoS 0 message has none, in either direction', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('client');
    await client.subscribe('a');
    // What follows the topic is the property block: 00. If it were read as an identifier, the payload would be cut.
    client.sendBytes(frame(0x30, text('a'), block(), '00 07 68 69'));
    const message = await client.receive('publish');
    expect(message).toMatchObject({ qos: 0, packetId: 0 });
    expect([...message.payload]).toEqual([0x00, 0x07, 0x68, 0x69]);
  });

  it.each([
    ['PUBLISH with QoS 1', frame(0x32, text('a'), uint16(0), block())],
    ['PUBLISH with QoS 2', frame(0x34, text('a'), uint16(0), block())],
    ['SUBSCRIBE', frame(0x82, uint16(0), block(), text('a'), 0)],
    ['UNSUBSCRIBE', frame(0xa2, uint16(0), block(), text('a'))],
  ])('[MQTT-2.2.1-3] %s with the identifier 0 ends the connection', async (_name, packet) => {
    const client = await startTestBroker().connect('client');
    client.sendBytes(packet);
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });

  it('[MQTT-2.2.1-4] messages under way to a client have different identifiers, none of them 0', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('#');
    for (let n = 0; n < 50; n++) await publisher.deliver('a', String(n), { qos: n % 2 === 0 ? 1 : 2 });
    const ids: number[] = [];
    for (let n = 0; n < 50; n++) ids.push((await subscriber.receive('publish')).packetId);
    expect(new Set(ids).size).toBe(50);
    expect(ids.every((id) => id > 0 && id <= 65_535)).toBe(true);
  });

  it('[MQTT-2.2.1-5] acknowledgements carry the identifier of their PUBLISH, in any order of numbers', async () => {
    const client = await startTestBroker().connect('client');
    for (const packetId of [65_535, 1, 300]) {
      client.publish('a', 'x', { qos: 1, packetId });
      expect((await client.receive('puback')).packetId).toBe(packetId);
      client.publish('a', 'x', { qos: 2, packetId });
      expect((await client.receive('pubrec')).packetId).toBe(packetId);
      client.ack('pubrel', packetId);
      expect((await client.receive('pubcomp')).packetId).toBe(packetId);
    }
  });

  it('[MQTT-2.2.1-6] SUBACK and UNSUBACK carry the identifier of their request', async () => {
    const client = await startTestBroker().connect('client');
    for (const packetId of [40_000, 2]) {
      const option = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
      client.send({ type: 'subscribe', packetId, subscriptions: [{ filter: 'a', ...option }], properties: {} });
      expect((await client.receive('suback')).packetId).toBe(packetId);
      client.send({ type: 'unsubscribe', packetId, filters: ['a'], properties: {} });
      expect((await client.receive('unsuback')).packetId).toBe(packetId);
    }
  });

  it('the two directions do not share identifiers', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('client');
    await client.subscribe('a');
    client.publish('a', 'x', { qos: 1, packetId: 1 });
    const packets = await client.receiveAll();
    expect(packets.map((packet) => packet.type).sort()).toEqual(['puback', 'publish']);
  });
});

describe('property blocks', () => {
  it('[MQTT-2.2.2-1] a PUBLISH without properties arrives with a property length of zero', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('client');
    await client.subscribe('a');
    client.publish('a', 'x');
    const message = await client.receive('publish');
    expect(message.properties).toEqual({});
    expect(message.payload).toHaveLength(1);
  });

  it.each([
    ['longer than the packet', frame(0x30, text('a'), 0x05, 0x01, 0x00)],
    ['cut within a property', frame(0x30, text('a'), block(0x02, 0x00))],
    ['with an unknown identifier', frame(0x30, text('a'), block(0x7f, 0x00))],
  ])('a property block %s ends the connection', async (_what, packet) => {
    const client = await startTestBroker().connect('client');
    client.sendBytes(packet);
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });

  it.each([
    ['a property of another packet', block(0x21, uint16(5))],
    ['the same property twice', block(0x01, 0x01, 0x01, 0x01)],
    ['a payload format indicator of 2', block(0x01, 0x02)],
  ])('%s in PUBLISH ends the connection', async (_what, properties) => {
    const client = await startTestBroker().connect('client');
    client.sendBytes(frame(0x30, text('a'), properties));
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });
});
