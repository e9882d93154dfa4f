// MQTT 3.1.1, 1.5.3: strings as the broker takes and gives them.

import { describe, expect, it } from 'vitest';
import { bytesOf, frame, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, connectHeader4 } from './clients.ts';

const BAD_TEXT: readonly { readonly title: string; readonly hex: string }[] = [
  { title: '[MQTT-1.5.3-1] a lone continuation byte', hex: '61 80' },
  { title: '[MQTT-1.5.3-1] a sequence cut short', hex: '61 c3' },
  { title: '[MQTT-1.5.3-1] an overlong form', hex: 'c0 af' },
  { title: '[MQTT-1.5.3-1] a surrogate', hex: 'ed a0 80' },
  { title: '[MQTT-1.5.3-1] a pair of surrogates', hex: 'ed a0 81 ed b0 81' },
  { title: '[MQTT-1.5.3-1] a code point above U+10FFFF', hex: 'f4 90 80 80' },
  { title: '[MQTT-1.5.3-2] U+0000', hex: '61 00 62' },
];

/** Where a string can stand in a packet of a client that is connected. */
interface Place {
  readonly title: string;
  readonly packetWith: (bytes: Uint8Array) => Uint8Array;
}

const PLACES: readonly Place[] = [
  { title: '[MQTT-3.3.2-1] a topic name', packetWith: (bytes) => frame(0x30, text(bytes), 0x78) },
  { title: '[MQTT-3.8.3-1] a filter of SUBSCRIBE', packetWith: (bytes) => frame(0x82, uint16(1), text(bytes), 0) },
  { title: '[MQTT-3.10.3-1] a filter of UNSUBSCRIBE', packetWith: (bytes) => frame(0xa2, uint16(1), text(bytes)) },
];

const CONNECT_PLACES: readonly Place[] = [
  {
    title: '[MQTT-3.1.3-4] a client identifier',
    packetWith: (bytes) => frame(0x10, connectHeader4(0x02), text(bytes)),
  },
  {
    title: '[MQTT-3.1.3-10] a will topic',
    packetWith: (bytes) => frame(0x10, connectHeader4(0x06), text('c'), text(bytes), text('w')),
  },
  {
    title: '[MQTT-3.1.3-11] a user name',
    packetWith: (bytes) => frame(0x10, connectHeader4(0x82), text('c'), text(bytes)),
  },
];

describe('UTF-8 strings', () => {
  describe.each(PLACES)('$title', ({ packetWith }) => {
    it.each(BAD_TEXT)('with $title ends the connection', async ({ hex }) => {
      const broker = startTestBroker();
      const watcher = await connect(broker, 'watcher');
      await watcher.subscribe('#');
      const client = await connect(broker, 'client');
      client.sendBytes(packetWith(bytesOf(hex)));
      await client.expectClosed();
      await watcher.expectNothing();
      await watcher.ping();
    });
  });

  describe.each(CONNECT_PLACES)('$title', ({ packetWith }) => {
    it.each(BAD_TEXT)('with $title ends the connection without a CONNACK', async ({ hex }) => {
      const client = startTestBroker().open(4);
      client.sendBytes(packetWith(bytesOf(hex)));
      await client.expectClosed();
    });
  });

  it('[MQTT-1.5.3-3] the bytes EF BB BF stay where they are, in front and within', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe('#');
    const plain = await connect(broker, 'plain');
    await plain.subscribe('a/b');
    for (const topic of ['\uFEFFa/b', 'a/\uFEFFb']) {
      publisher.sendBytes(frame(0x30, text(topic), 0x78));
      expect((await subscriber.receive('publish')).topic).toBe(topic);
    }
    await plain.expectNothing();
  });

  it('[MQTT-1.5.3-3] a client identifier with a mark in front is another one', async () => {
    const broker = startTestBroker();
    const first = await connect(broker, 'c');
    await connect(broker, '\uFEFFc');
    await first.ping();
  });
});
