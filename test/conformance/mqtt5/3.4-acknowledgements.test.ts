// MQTT 5.0, 3.4 to 3.7: PUBACK, PUBREC, PUBREL and PUBCOMP, from the broker and to it.

import { describe, expect, it } from 'vitest';
import { frame, type RawClient, startTestBroker, type TestBroker, uint16 } from '../../harness/index.ts';

const RULES = { rules: ['allow all #', 'deny publish secret/#'] };

/** A subscriber that has got one message with this QoS and not acknowledged it. */
async function owing(broker: TestBroker, qos: 1 | 2, maximumPacketSize?: number): Promise<[RawClient, number]> {
  const publisher = await broker.connect('p');
  const properties = maximumPacketSize === undefined ? {} : { maximumPacketSize };
  const subscriber = await broker.connect('s', { properties });
  await subscriber.subscribe('a');
  await publisher.deliver('a', 'x', { qos });
  return [subscriber, (await subscriber.expectMessage('a', 'x')).packetId];
}

describe('reason codes from the broker', () => {
  it('[MQTT-3.4.2-1] PUBACK: success, no matching subscribers, not authorized', async () => {
    const broker = startTestBroker(RULES);
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    expect(await publisher.deliver('a')).toBe(0x00);
    expect(await publisher.deliver('nobody')).toBe(0x10);
    expect(await publisher.deliver('secret/x')).toBe(0x87);
  });

  it('[MQTT-3.5.2-1] PUBREC: the same', async () => {
    const broker = startTestBroker(RULES);
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    expect(await publisher.deliver('a', 'x', { qos: 2 })).toBe(0x00);
    expect(await publisher.deliver('nobody', 'x', { qos: 2 })).toBe(0x10);
    expect(await publisher.deliver('secret/x', 'x', { qos: 2 })).toBe(0x87);
  });

  it('[MQTT-3.6.2-1] PUBREL: success, or that the identifier is not known', async () => {
    const broker = startTestBroker();
    const [subscriber, packetId] = await owing(broker, 2);
    subscriber.ack('pubrec', packetId);
    expect(await subscriber.receive('pubrel')).toMatchObject({ packetId, reasonCode: 0x00 });
    subscriber.ack('pubrec', 4711);
    expect(await subscriber.receive('pubrel')).toMatchObject({ packetId: 4711, reasonCode: 0x92 });
  });

  it('[MQTT-3.7.2-1] PUBCOMP: success, or that the identifier is not known', async () => {
    const client = await startTestBroker().connect('c');
    client.publish('a', 'x', { qos: 2, packetId: 5 });
    await client.receive('pubrec');
    client.ack('pubrel', 5);
    expect(await client.receive('pubcomp')).toMatchObject({ packetId: 5, reasonCode: 0x00 });
    client.ack('pubrel', 5);
    expect(await client.receive('pubcomp')).toMatchObject({ packetId: 5, reasonCode: 0x92 });
  });
});

describe('acknowledgements fit the Maximum Packet Size of the client', () => {
  it('[MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] refusals', async () => {
    const client = await startTestBroker(RULES).connect('c', { properties: { maximumPacketSize: 24 } });
    client.publish('secret/x', 'x', { qos: 1 });
    expect((await client.receive('puback')).properties.userProperty).toBeUndefined();
    client.publish('secret/x', 'x', { qos: 2 });
    expect((await client.receive('pubrec')).properties.userProperty).toBeUndefined();
    expect(client.largestPacket).toBeLessThanOrEqual(24);
  });

  it('[MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] unknown identifiers', async () => {
    const client = await startTestBroker().connect('c', { properties: { maximumPacketSize: 24 } });
    client.ack('pubrec', 9);
    expect((await client.receive('pubrel')).properties).toEqual({});
    client.ack('pubrel', 9);
    expect((await client.receive('pubcomp')).properties).toEqual({});
    expect(client.largestPacket).toBeLessThanOrEqual(24);
  });
});

describe('acknowledgements to the broker', () => {
  it.each([
    ['PUBACK', 0x40, '[MQTT-3.4.2-1]'],
    ['PUBREC', 0x50, '[MQTT-3.5.2-1]'],
    ['PUBREL', 0x62, '[MQTT-3.6.2-1]'],
    ['PUBCOMP', 0x70, '[MQTT-3.7.2-1]'],
  ])('%s with a code that it cannot carry ends the connection %s', async (_name, firstByte) => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(firstByte, uint16(1), 0x8e));
    await client.expectDisconnected('protocol-error', 'malformed-packet');
  });

  it('code and properties may be left out or given (3.4.2.1)', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const subscriber = await broker.connect('s', { properties: { receiveMaximum: 1 } });
    await subscriber.subscribe('a');
    const forms = ['', '00', '10', '00 00', '00 0c 1f 00 01 78 26 00 01 6b 00 02 76 76'];
    for (const rest of forms) {
      await publisher.deliver('a', rest);
      const { packetId } = await subscriber.expectMessage('a', rest);
      subscriber.sendBytes(frame(0x40, uint16(packetId), rest));
    }
    await subscriber.ping();
  });

  it('one that belongs to nothing is harmless', async () => {
    const client = await startTestBroker().connect('c');
    client.ack('puback', 1);
    client.ack('pubcomp', 2);
    await client.ping();
  });

  it.each(['puback', 'pubcomp'] as const)('a %s in place of PUBREC does not end the exchange', async (type) => {
    const broker = startTestBroker();
    const [subscriber, packetId] = await owing(broker, 2);
    subscriber.ack(type, packetId);
    const packets = await subscriber.receiveAll();
    if (subscriber.closed) {
      expect(packets.at(-1)).toMatchObject({ type: 'disconnect' });
      return;
    }
    subscriber.ack('pubrec', packetId);
    expect(await subscriber.receive('pubrel')).toMatchObject({ packetId, reasonCode: 0 });
  });
});
