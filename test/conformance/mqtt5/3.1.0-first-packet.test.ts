// MQTT 5.0, 3.1.0 and 3.1.2.1 to 3.1.2.3: CONNECT comes first and once, and its header is as the standard says.

import { describe, expect, it } from 'vitest';
import { block, connectHeader, frame, type RawClient, startTestBroker, text, uint16 } from '../../harness/index.ts';

/** The connection closes, with at most a CONNACK that refuses. */
async function expectNotAccepted(client: RawClient, ...codes: readonly number[]): Promise<void> {
  const packets = await client.receiveAll();
  for (const packet of packets) {
    expect(packet.type).toBe('connack');
    expect(codes).toContain((packet as { reasonCode: number }).reasonCode);
  }
  expect(packets.length).toBeLessThanOrEqual(1);
  expect(client.closed).toBe(true);
}

describe('the first packet', () => {
  it.each([
    ['PUBLISH', '30 04 00 01 61 00'],
    ['SUBSCRIBE', '82 07 00 01 00 00 01 61 00'],
    ['PINGREQ', 'c0 00'],
    ['DISCONNECT', 'e0 00'],
    ['AUTH', 'f0 00'],
    ['something that is not MQTT', '47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a 0d 0a'],
  ])('[MQTT-3.1.0-1] a connection that starts with %s is closed without a word', async (_name, hex) => {
    const broker = startTestBroker();
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('#');
    const client = broker.open();
    client.sendBytes(hex);
    await client.expectClosed();
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.0-2] a second CONNECT closes the connection, and only that', async () => {
    const broker = startTestBroker();
    const other = await broker.connect('other');
    const client = await broker.connect('client');
    client.send({ type: 'connect', version: 5, clientId: 'client', cleanStart: true, keepAlive: 0, properties: {} });
    await client.expectDisconnected('protocol-error');
    await other.ping();
  });

  it('[MQTT-3.1.0-2] also when the second CONNECT names another client', async () => {
    const broker = startTestBroker();
    const other = await broker.connect('other');
    const client = await broker.connect('client');
    client.send({ type: 'connect', version: 5, clientId: 'other', cleanStart: true, keepAlive: 0, properties: {} });
    await client.expectDisconnected('protocol-error');
    await other.ping();
  });

  it('[MQTT-3.1.0-2] also when both come in one chunk', async () => {
    const client = startTestBroker().open();
    const packet = {
      type: 'connect',
      version: 5,
      clientId: 'c',
      cleanStart: true,
      keepAlive: 0,
      properties: {},
    } as const;
    client.send(packet, packet);
    await client.receive('connack');
    await client.expectDisconnected('protocol-error');
  });
});

describe('protocol name and version', () => {
  it.each(['MQTX', 'mqtt', 'MQTT ', ''])(
    '[MQTT-3.1.2-1] the protocol name "%s" closes the connection',
    async (name) => {
      const client = startTestBroker().open();
      client.sendBytes(frame(0x10, text(name), 5, 2, uint16(0), block(), text('c')));
      await expectNotAccepted(client, 0x84, 0x81, 0x82);
    },
  );

  it.each([0, 2, 6, 0x85, 255])('[MQTT-3.1.2-2] the protocol version %i closes the connection', async (version) => {
    const client = startTestBroker().open(4);
    client.sendBytes(frame(0x10, text('MQTT'), version, 2, uint16(0), block(), text('c')));
    // A client of an unknown version may be told in the words of 3.1.1 (1) or of 5.0 (0x84).
    const packets = await client.receiveAll().catch(() => []);
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode === 1)).toBe(true);
    expect(client.closed).toBe(true);
  });

  it('[MQTT-3.1.2-2] a version that the listener does not offer is refused', async () => {
    const broker = startTestBroker({ listener: { versions: [4] } });
    const client = broker.open();
    client.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties: {} });
    await client.expectRefused('unsupported-protocol-version');
  });

  it('[MQTT-3.1.2-3] the reserved connect flag closes the connection', async () => {
    const client = startTestBroker().open();
    client.sendBytes(frame(0x10, connectHeader(0x03), text('c')));
    await expectNotAccepted(client, 0x81, 0x82);
  });
});

describe('flags and payload agree', () => {
  const id = text('c');
  const will = [block(), text('w'), text('x')] as const;
  it.each([
    { title: '[MQTT-3.1.2-9] Will Flag without will fields', packet: frame(0x10, connectHeader(0x06), id) },
    {
      title: '[MQTT-3.1.2-9] Will Flag without will payload',
      packet: frame(0x10, connectHeader(0x06), id, block(), text('w')),
    },
    { title: '[MQTT-3.1.2-11] Will QoS 1 without Will Flag', packet: frame(0x10, connectHeader(0x0a), id) },
    { title: '[MQTT-3.1.2-12] Will QoS 3', packet: frame(0x10, connectHeader(0x1e), id, ...will) },
    { title: '[MQTT-3.1.2-13] Will Retain without Will Flag', packet: frame(0x10, connectHeader(0x22), id) },
    {
      title: '[MQTT-3.1.2-16] a user name without its flag',
      packet: frame(0x10, connectHeader(0x02), id, text('user')),
    },
    { title: '[MQTT-3.1.2-17] User Name Flag without user name', packet: frame(0x10, connectHeader(0x82), id) },
    {
      title: '[MQTT-3.1.2-18] a password without its flag',
      packet: frame(0x10, connectHeader(0x82), id, text('user'), text('pw')),
    },
    {
      title: '[MQTT-3.1.2-19] Password Flag without password',
      packet: frame(0x10, connectHeader(0xc2), id, text('user')),
    },
    { title: '[MQTT-3.1.3-3] no client identifier', packet: frame(0x10, connectHeader(0x02)) },
    { title: '[MQTT-3.1.4-1] bytes after the last field', packet: frame(0x10, connectHeader(0x02), id, 0x00) },
    { title: '[MQTT-3.1.4-1] a packet that ends in its header', packet: frame(0x10, text('MQTT'), 5) },
  ])('$title closes the connection', async ({ packet }) => {
    const client = startTestBroker().open();
    client.sendBytes(packet);
    await expectNotAccepted(client, 0x81, 0x82);
  });

  it('[MQTT-3.1.3-1] [MQTT-3.1.2-17] [MQTT-3.1.2-19] all fields at once, in their order, are taken', async () => {
    const broker = startTestBroker();
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('w');
    const client = broker.open();
    client.sendBytes(frame(0x10, connectHeader(0xee), id, ...will, text('user'), text('secret')));
    expect((await client.receive('connack')).reasonCode).toBe(0);
    await client.cut();
    await watcher.expectMessage('w', 'x');
  });

  it('a password without user name is allowed in MQTT 5.0 (3.1.2.9)', async () => {
    const client = startTestBroker().open();
    client.sendBytes(frame(0x10, connectHeader(0x42), id, text('secret')));
    expect((await client.receive('connack')).reasonCode).toBe(0);
  });

  it.each([
    ['Receive Maximum 0', block(0x21, uint16(0))],
    ['Maximum Packet Size 0', block(0x27, 0, 0, 0, 0)],
    ['Session Expiry Interval twice', block(0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1)],
    ['Request Problem Information 2', block(0x17, 2)],
    ['Request Response Information 2', block(0x19, 2)],
    ['Authentication Data without method', block(0x16, text('x'))],
    ['a property of CONNACK', block(0x24, 1)],
  ])('%s closes the connection (3.1.2.11)', async (_what, properties) => {
    const client = startTestBroker().open();
    client.sendBytes(frame(0x10, connectHeader(0x02, properties), id));
    await expectNotAccepted(client, 0x81, 0x82);
  });
});
