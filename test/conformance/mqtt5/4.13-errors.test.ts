// MQTT 5.0, 4.13: what is wrong ends its own connection with the right code, and nobody else's.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../harness/index.ts';

const WRONG = [
  ['a packet of type 0', '00 00', 0x81],
  ['QoS 3', '36 06 00 01 61 00 01 00', 0x81],
  ['a remaining length without end', '30 ff ff ff ff', 0x81],
  ['a topic with a wildcard', '30 04 00 01 23 00', 0x90],
  ['an unknown alias', '30 06 00 00 03 23 00 05', 0x82],
  ['an alias of 0', '30 07 00 01 61 03 23 00 00', 0x94],
  ['SUBSCRIBE without filters', '82 03 00 01 00', 0x82],
  ['SUBSCRIBE with wrong flags', '80 07 00 01 00 00 01 61 00', 0x81],
  ['UNSUBSCRIBE without filters', 'a2 03 00 01 00', 0x82],
  ['an AUTH out of the blue', 'f0 02 18 00', 0x82],
  ['PUBLISH with a subscription identifier', '30 06 00 01 61 02 0b 01', 0x82],
  ['a packet that is too large', '30 ff ff ff 7f', 0x95],
  ['a PINGRESP', 'd0 00', 0x82],
] as const;

describe('errors', () => {
  it.each(WRONG)('[MQTT-4.13.1-1] [MQTT-4.13.2-1] %s', async (what, hex, code) => {
    const broker = startTestBroker();
    const [bystander, client] = [await broker.connect('bystander'), await broker.connect('c')];
    await bystander.subscribe('still/here');
    client.sendBytes(hex);
    const packet = await client.receive('disconnect');
    // Malformed (0x81) or protocol error (0x82): the standard leaves the line between the two to the reader.
    const either = code === 0x81 || code === 0x82 ? [0x81, 0x82] : [code];
    expect(either, what).toContain(packet.reasonCode);
    await client.expectClosed();
    bystander.publish('still/here', 'x');
    await bystander.expectMessage('still/here', 'x');
    const refusals = broker.events.filter((event) => event.name === 'peer.refused');
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({ layer: 'protocol', clientId: 'c' });
  });

  it('what follows the wrong packet in the same chunk is not worked on', async () => {
    const broker = startTestBroker();
    const [watcher, client] = [await broker.connect('w'), await broker.connect('c')];
    await watcher.subscribe('#');
    client.sendBytes('30 05 00 01 61 00 31  00 00  30 05 00 01 61 00 32');
    await client.expectDisconnected('malformed-packet', 'protocol-error');
    await watcher.expectMessage('a', '1');
    await watcher.expectNothing();
  });

  it('[MQTT-4.13.2-1] a DISCONNECT of the client with 0x80 or above ends the connection', async () => {
    const client = await startTestBroker().connect('c');
    await client.disconnect(0x82);
  });

  it('hundreds in a row leave nothing behind', async () => {
    const broker = startTestBroker();
    for (let n = 0; n < 300; n++) {
      const client = await broker.connect('c');
      client.sendBytes(WRONG[n % WRONG.length]?.[1] ?? '');
      await client.receive('disconnect');
    }
    expect(broker.clients().length).toBe(0);
  });
});

describe('deadlines', () => {
  it('a connection without CONNECT is closed without a word', async () => {
    const broker = startTestBroker({ limits: { connectDeadlineMs: 3_000 } });
    const [silent, half] = [broker.open(), broker.open()];
    half.sendBytes('10 20 00 04 4d');
    await broker.advance(2_500);
    await silent.expectNothing();
    await broker.advance(1_000);
    await silent.expectClosed();
    await half.expectClosed();
  });

  it('a packet that is never finished ends the connection', async () => {
    const broker = startTestBroker({ limits: { partialPacketDeadlineMs: 5_000 } });
    const client = await broker.connect('c');
    client.sendBytes('30 20 00 01');
    for (let n = 0; n < 5; n++) {
      await broker.advance(1_500);
      client.sendBytes('61');
    }
    await broker.advance(1_500);
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'disconnect')).toBe(true);
    expect(client.closed).toBe(true);
  });
});
