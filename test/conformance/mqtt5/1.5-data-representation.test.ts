// MQTT 5.0, 1.5: strings, variable byte integers and string pairs as the broker takes and gives them.

import { describe, expect, it } from 'vitest';
import { block, connectHeader, frame, startTestBroker, text, uint16 } from '../../harness/index.ts';

/** Ill-formed or forbidden UTF-8, and what is wrong with it. */
const BAD_TEXT: readonly (readonly [string, string])[] = [
  ['a lone continuation byte', '61 80'],
  ['a sequence cut short', '61 c3'],
  ['an overlong slash', 'c0 af'],
  ['an overlong null', 'c0 80'],
  ['the surrogate U+D800', 'ed a0 80'],
  ['the surrogate U+DFFF', 'ed bf bf'],
  ['a surrogate pair', 'ed a0 81 ed b0 81'],
  ['a code point above U+10FFFF', 'f4 90 80 80'],
  ['the byte FF', 'ff'],
];

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('UTF-8 strings', () => {
  it.each(BAD_TEXT)('[MQTT-1.5.4-1] a topic name with %s ends the connection', async (_what, hex) => {
    const broker = startTestBroker();
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('#');
    const client = await broker.connect('client');
    client.sendBytes(frame(0x30, text(bytes(hex)), block(), 0x78));
    await client.expectDisconnected('malformed-packet', 'topic-name-invalid');
    await watcher.expectNothing();
  });

  it.each(BAD_TEXT)('[MQTT-3.1.3-4] [MQTT-1.5.4-1] a client identifier with %s is not accepted', async (_what, hex) => {
    const client = startTestBroker().open();
    client.sendBytes(frame(0x10, connectHeader(0x02), text(bytes(hex))));
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode >= 0x80)).toBe(true);
    expect(client.closed).toBe(true);
  });

  it.each([
    { title: '[MQTT-3.1.3-12] a user name', packet: frame(0x10, connectHeader(0x82), text('c'), text(bytes('ff'))) },
    {
      title: '[MQTT-3.1.3-11] a will topic',
      packet: frame(0x10, connectHeader(0x06), text('c'), block(), text(bytes('ff')), text('')),
    },
  ])('$title that is not UTF-8 is not accepted', async ({ packet }) => {
    const client = startTestBroker().open();
    client.sendBytes(packet);
    const packets = await client.receiveAll();
    expect(packets.every((answer) => answer.type === 'connack' && answer.reasonCode >= 0x80)).toBe(true);
    expect(client.closed).toBe(true);
  });

  it.each([
    { title: '[MQTT-3.8.3-1] a filter in SUBSCRIBE', packet: frame(0x82, uint16(1), block(), text(bytes('ff')), 0) },
    { title: '[MQTT-3.10.3-1] a filter in UNSUBSCRIBE', packet: frame(0xa2, uint16(1), block(), text(bytes('ff'))) },
    { title: '[MQTT-3.3.2-13] a response topic', packet: frame(0x30, text('a'), block(0x08, text(bytes('ff')))) },
    { title: '[MQTT-3.3.2-19] a content type', packet: frame(0x30, text('a'), block(0x03, text(bytes('ff')))) },
    {
      title: '[MQTT-1.5.7-1] the name of a user property',
      packet: frame(0x30, text('a'), block(0x26, text(bytes('ff')), text('v'))),
    },
    {
      title: '[MQTT-1.5.7-1] the value of a user property',
      packet: frame(0x30, text('a'), block(0x26, text('n'), text(bytes('ff')))),
    },
  ])('$title that is not UTF-8 ends the connection', async ({ packet }) => {
    const broker = startTestBroker();
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('#');
    const client = await broker.connect('client');
    client.sendBytes(packet);
    await client.expectDisconnected('malformed-packet');
    await watcher.expectNothing();
  });

  it.each([
    ['a topic name', frame(0x30, text('a\0b'), block())],
    ['a filter', frame(0x82, uint16(1), block(), text('a\0b'), 0)],
    ['a filter in UNSUBSCRIBE', frame(0xa2, uint16(1), block(), text('a\0b'))],
    ['a user property', frame(0x30, text('a'), block(0x26, text('n'), text('\0')))],
  ])('[MQTT-1.5.4-2] [MQTT-4.7.3-2] %s with U+0000 ends the connection', async (_what, packet) => {
    const client = await startTestBroker().connect('client');
    client.sendBytes(packet);
    await client.expectDisconnected('malformed-packet', 'topic-name-invalid', 'topic-filter-invalid');
  });

  it('[MQTT-1.5.4-3] the bytes EF BB BF stay in a string', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('\uFEFFa/#');
    publisher.publish('\uFEFFa/\uFEFF', 'x', { properties: { contentType: '\uFEFFtext' } });
    publisher.publish('a/b', 'not for this filter');
    const message = await subscriber.expectMessage('\uFEFFa/\uFEFF', 'x');
    expect(message.properties.contentType).toBe('\uFEFFtext');
    await subscriber.expectNothing();
  });

  it('takes characters of one to four bytes in a topic', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('client');
    const topic = 'é/日本/😀/\u{10FFFD}';
    await client.subscribe(topic);
    client.publish(topic, '😀');
    await client.expectMessage(topic, '😀');
  });
});

describe('variable byte integers', () => {
  it.each([
    ['the remaining length', '30 84 00 00 01 61 00'],
    ['the property length', '30 05 00 01 61 80 00'],
    ['a subscription identifier', '82 0a 00 01 03 0b 81 00 00 01 61 00'],
  ])('[MQTT-1.5.5-1] %s in more bytes than it needs ends the connection', async (_what, hex) => {
    const client = await startTestBroker().connect('client');
    client.sendBytes(hex);
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });

  it('a remaining length of five bytes ends the connection', async () => {
    const client = await startTestBroker().connect('client');
    client.sendBytes('30 ff ff ff ff 01');
    await client.expectDisconnected('malformed-packet');
  });

  it.each([127, 128, 16_383, 16_384])('a packet with a remaining length of %i passes both ways', async (length) => {
    const broker = startTestBroker();
    const client = await broker.connect('client');
    await client.subscribe('a');
    client.publish('a', 'x'.repeat(length - 4));
    await client.expectMessage('a', 'x'.repeat(length - 4));
  });
});
