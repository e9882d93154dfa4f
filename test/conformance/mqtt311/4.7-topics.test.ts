// MQTT 3.1.1, 4.7: topic names and filters.

import { describe, expect, it } from 'vitest';
import { frame, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, payloadsOf } from './clients.ts';

describe('wildcards', () => {
  const bad = [
    { title: '[MQTT-4.7.1-2] # behind text', filter: 'a#' },
    { title: '[MQTT-4.7.1-2] # before text', filter: '#a' },
    { title: '[MQTT-4.7.1-2] # in the middle', filter: 'a/#/b' },
    { title: '[MQTT-4.7.1-2] two #', filter: '#/#' },
    { title: '[MQTT-4.7.1-3] + behind text', filter: 'a+' },
    { title: '[MQTT-4.7.1-3] + before text', filter: '+a/b' },
    { title: '[MQTT-4.7.1-3] two +', filter: 'a/++' },
    { title: '[MQTT-4.7.1-3] + and #', filter: 'a/+#' },
    { title: '[MQTT-4.7.3-1] an empty filter', filter: '' },
  ];
  it.each(bad)('$title is not granted', async ({ filter }) => {
    const broker = startTestBroker();
    const [client, publisher] = [await connect(broker, 'c'), await connect(broker, 'p')];
    client.sendBytes(frame(0x82, uint16(1), text(filter), 0));
    const packets = await client.receiveAll();
    expect(packets.length === 0 ? client.closed : packets).toEqual(
      packets.length === 0 ? true : [expect.objectContaining({ type: 'suback', reasonCodes: [0x80] })],
    );
    await publisher.ping();
  });

  it('[MQTT-4.7.1-2] [MQTT-4.7.1-3] in their places they work', async () => {
    const client = await connect(startTestBroker(), 'c');
    const { reasonCodes } = await client.subscribe(['#', '+', 'a/#', '+/#', '/#', '+/+/#', '/+', 'a/+/b', '/', '//']);
    expect(reasonCodes).toEqual(new Array(10).fill(2));
  });

  it('[MQTT-4.7.2-1] in the first level they do not match $ topics; a filter that begins with $ does', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const clients = new Map<string, string[]>([
      ['#', []],
      ['+/x', []],
      ['+/#', []],
      ['$other/#', ['live']],
      ['$other/+', ['live']],
      ['$SYS/#', []],
    ]);
    await publisher.deliver('$other/x', 'kept', { retain: true });
    for (const [filter, expected] of clients) {
      const client = await connect(broker, '');
      await client.subscribe(filter);
      expect(payloadsOf(await client.receiveAll())).toEqual(expected.length === 0 ? [] : ['kept']);
      publisher.publish('$other/x', 'live');
      expect(payloadsOf(await client.receiveAll())).toEqual(expected);
    }
  });
});

describe('names', () => {
  it('[MQTT-4.7.3-2] U+0000 ends the connection', async () => {
    const broker = startTestBroker();
    for (const packet of [
      frame(0x30, text('a\0'), 0x78),
      frame(0x82, uint16(1), text('\0'), 0),
      frame(0xa2, uint16(1), text('a\0b')),
    ]) {
      const client = await connect(broker, 'c');
      client.sendBytes(packet);
      await client.expectClosed();
    }
  });

  it('[MQTT-4.7.3-3] 65,535 bytes are a name and a filter like any other', async () => {
    const broker = startTestBroker();
    const [client, publisher] = [await connect(broker, 'c'), await connect(broker, 'p')];
    for (const topic of ['x'.repeat(65_535), `${'é'.repeat(32_767)}/`]) {
      expect((await client.subscribe({ filter: topic, qos: 0 })).reasonCodes).toEqual([0]);
      publisher.publish(topic, 'x');
      expect((await client.receive('publish')).topic).toBe(topic);
    }
  });

  it('[MQTT-4.7.3-4] nothing is normalised: case, composition, slashes and spaces count', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const names = [
      'a',
      'A',
      'a/',
      '/a',
      '//a',
      'a ',
      'caf\u00e9',
      'cafe\u0301',
      '\u212b',
      '\u00c5',
      '\uff21',
      '\ud83d\ude00',
    ];
    const clients = [];
    for (const name of names) {
      const client = await connect(broker, '');
      await client.subscribe({ filter: name, qos: 0 });
      clients.push(client);
    }
    for (const name of names) publisher.publish(name, name);
    for (const [at, client] of clients.entries()) expect(payloadsOf(await client.receiveAll())).toEqual([names[at]]);
  });
});
