// MQTT 5.0, 3.14: DISCONNECT from the client and from the broker. Wills: 3.1.2-will.

import { describe, expect, it } from 'vitest';
import { block, connectHeader, frame, startTestBroker, text, will } from '../../harness/index.ts';

describe('from the broker', () => {
  it.each([
    ['a malformed CONNECT', frame(0x10, text('MQTT'), 5)],
    ['a packet before CONNECT', frame(0xc0)],
    ['a CONNECT with a reserved flag', frame(0x10, connectHeader(0x03), text('c'))],
    ['no packet at all', new Uint8Array(0)],
  ])('[MQTT-3.14.0-1] is not sent before a CONNACK that accepts: %s', async (_what, packet) => {
    const broker = startTestBroker();
    const client = broker.open();
    client.sendBytes(packet);
    await broker.advance(30_000);
    const packets = await client.receiveAll();
    expect(packets.filter((answer) => answer.type === 'disconnect')).toEqual([]);
    expect(client.closed).toBe(true);
  });

  it('[MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.2-1] is the last thing it sends, and the connection ends', async () => {
    const broker = startTestBroker();
    const [client, publisher] = [await broker.connect('c'), await broker.connect('p')];
    await client.subscribe('a');
    client.sendBytes('00 00');
    for (let n = 0; n < 5; n++) publisher.publish('a', 'x');
    const packets = await client.receiveAll();
    expect(packets.at(-1)?.type).toBe('disconnect');
    expect(packets.filter((packet) => packet.type === 'disconnect')).toHaveLength(1);
    publisher.publish('a', 'later');
    await client.expectClosed();
  });

  it('[MQTT-3.14.2-1] [MQTT-3.14.2-2] take-over, shutdown and errors: a code of the table, no session expiry', async () => {
    const broker = startTestBroker();
    const properties = { sessionExpiryInterval: 600 };
    const taken = await broker.connect('t', { properties });
    await broker.connect('t', { properties });
    const wrong = await broker.connect('w', { properties });
    wrong.sendBytes('f8 00');
    const silent = await broker.connect('s', { properties, keepAlive: 1 });
    await broker.advance(5_000);
    const last = await broker.connect('l', { properties });
    await broker.stop();
    const expected = [
      [taken, 0x8e],
      [wrong, 0x81],
      [silent, 0x8d],
      [last, 0x8b],
    ] as const;
    for (const [client, code] of expected) {
      const packet = await client.receive('disconnect');
      expect(packet.reasonCode).toBe(code);
      expect(packet.properties.sessionExpiryInterval).toBeUndefined();
      await client.expectClosed();
    }
  });

  it('[MQTT-3.14.2-3] [MQTT-3.14.2-4] fits the Maximum Packet Size of the client', async () => {
    const client = await startTestBroker().connect('c', { properties: { maximumPacketSize: 24 } });
    client.publish('', 'x', { properties: { topicAlias: 7 } });
    const { properties } = await client.receive('disconnect');
    expect(properties.userProperty).toBeUndefined();
    expect((properties.reasonString ?? '').length).toBeLessThanOrEqual(16);
    await client.expectClosed();
  });
});

describe('from the client', () => {
  it('[MQTT-3.14.4-2] ends the connection without an answer', async () => {
    const client = await startTestBroker().connect('c');
    await client.disconnect();
  });

  it('nothing behind it is worked on', async () => {
    const broker = startTestBroker();
    const [watcher, client] = [await broker.connect('w'), await broker.connect('c')];
    await watcher.subscribe('#');
    client.send({ type: 'disconnect', reasonCode: 0, properties: {} }, client.publication('a', 'x'));
    await client.expectClosed();
    await watcher.expectNothing();
  });

  it.each([
    { title: '[MQTT-3.14.1-1] a reserved flag', packet: frame(0xe2, 0) },
    { title: '[MQTT-3.14.2-1] a code that there is not', packet: frame(0xe0, 0x42, block()) },
    { title: 'a property that it cannot carry', packet: frame(0xe0, 0x00, block(0x21, 0, 1)) },
    { title: 'a body that goes on', packet: frame(0xe0, 0x00, block(), 0x00) },
  ])('$title ends the connection as an error, and the will is published', async ({ packet }) => {
    const broker = startTestBroker();
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('w');
    const client = await broker.connect('c', { will: will('w', 'gone') });
    client.sendBytes(packet);
    await client.expectDisconnected('malformed-packet', 'protocol-error');
    await watcher.expectMessage('w', 'gone');
  });

  it('a Server Reference or Reason String from the client is only read', async () => {
    const client = await startTestBroker().connect('c');
    await client.disconnect(0x00, { reasonString: 'done for today', userProperty: [['a', 'b']] });
  });
});
