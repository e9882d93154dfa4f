// Properties parsed before the size is checked, or again with each chunk (CVE-2026-44248, CVE-2021-41039): a flood of user
// properties costs what its bytes cost, once.

import { describe, expect, it } from 'vitest';
import { block, connectHeader, duplexPair, frame, settle, startTestBroker, text } from '../harness/index.ts';

const PROPERTY = Uint8Array.of(0x26, 0, 0, 0, 0);

describe('user properties', () => {
  it('a CONNECT full of them is refused by its length, before one is read', async () => {
    const broker = startTestBroker();
    const client = broker.open();
    const properties = block(Buffer.alloc(5 * 20_000, PROPERTY));
    client.sendBytes(frame(0x10, connectHeader(2, properties), text('c')).subarray(0, 8));
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode >= 0x80)).toBe(true);
    expect(client.closed).toBe(true);
  });

  it('a PUBLISH of 200,000 of them in chunks of one byte is read once, in linear time', {
    timeout: 60_000,
  }, async () => {
    const broker = startTestBroker();
    const subscriber = await broker.connect('s');
    await subscriber.subscribe({ filter: 'a', qos: 0 });
    const [ours, theirs] = duplexPair();
    broker.serve(theirs);
    ours.on('error', () => undefined).resume();
    ours.write(frame(0x10, connectHeader(2), text('c')));
    await settle();
    const packet = Buffer.from(frame(0x30, text('a'), block(Buffer.alloc(5 * 200_000, PROPERTY)), 0x78));
    // Straight into the stream that the broker reads: a million turns of the test's own would prove nothing.
    for (let at = 0; at < packet.length; at++) theirs.emit('data', packet.subarray(at, at + 1));
    const message = await subscriber.receive('publish');
    expect(message.properties.userProperty).toHaveLength(200_000);
    expect(broker.clients()).toHaveLength(2);
  });
});
