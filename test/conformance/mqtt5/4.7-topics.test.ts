// MQTT 5.0, 4.7: topic filters and how they match.

import { describe, expect, it } from 'vitest';
import { block, frame, startTestBroker, text, uint16 } from '../../harness/index.ts';

describe('the grammar of filters', () => {
  it.each(['#', '+', 'a/#', '/#', '+/#', '+/+', '/+', 'a/+/b', 'a/+/#', '/', '//', 'a//b', ' ', 'a b'])(
    '"%s" is a filter',
    async (filter) => {
      const client = await startTestBroker().connect('c');
      expect((await client.subscribe(filter)).reasonCodes).toEqual([2]);
    },
  );

  it.each(['a#', 'a/#/b', '#/a', '##', 'a/b#'])('[MQTT-4.7.1-1] "%s" is not', async (filter) => {
    const client = await startTestBroker().connect('c');
    expect((await client.subscribe([filter, 'ok'])).reasonCodes).toEqual([0x8f, 2]);
    await client.ping();
  });

  it.each(['a+', '+a', 'a/b+', 'a/+b/c', '++'])('[MQTT-4.7.1-2] "%s" is not', async (filter) => {
    const client = await startTestBroker().connect('c');
    expect((await client.subscribe([filter, 'ok'])).reasonCodes).toEqual([0x8f, 2]);
    await client.ping();
  });

  it('[MQTT-4.7.3-1] an empty one is not', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(0x82, uint16(1), block(), text(''), 0));
    const packets = await client.receiveAll();
    if (client.closed) expect(packets.map((packet) => packet.type)).toEqual(['disconnect']);
    else expect(packets).toMatchObject([{ type: 'suback', reasonCodes: [0x8f] }]);
  });

  it('[MQTT-4.7.3-1] an empty topic name ends the connection', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes(frame(0x30, text(''), block()));
    await client.expectDisconnected('protocol-error', 'topic-name-invalid', 'malformed-packet');
  });

  it('[MQTT-4.7.3-3] names and filters of 65,535 bytes work', async () => {
    const client = await startTestBroker().connect('c');
    const topic = 'é'.repeat(32_767) + 'x';
    expect((await client.subscribe(topic)).reasonCodes).toEqual([2]);
    client.publish(topic, 'x');
    await client.expectMessage(topic, 'x');
  });

  const EIGHT = 'a/a/a/a/a/a/a/a';

  it('a filter with more levels than the limit is refused, one at the limit is not', async () => {
    const client = await startTestBroker({ limits: { topicLevelsMax: 8 } }).connect('c');
    const { reasonCodes } = await client.subscribe([EIGHT, `${EIGHT}/a`, `$share/g/${EIGHT}/a`]);
    expect(reasonCodes.map((code) => code >= 0x80)).toEqual([false, true, true]);
    client.publish(EIGHT, 'x');
    await client.expectMessage(EIGHT, 'x');
  });

  it.each([0, 1, 2] as const)('so is a topic name with more levels, at QoS %i', async (qos) => {
    const broker = startTestBroker({ limits: { topicLevelsMax: 8 } });
    const [subscriber, client] = [await broker.connect('s'), await broker.connect('c')];
    await subscriber.subscribe('#');
    client.publish(`${EIGHT}/a`, 'x', { qos, retain: true });
    const packets = await client.receiveAll();
    // Either the message is refused with 0x90 or the connection ends with it.
    if (client.closed) expect(packets).toMatchObject([{ type: 'disconnect', reasonCode: 0x90 }]);
    else if (qos > 0) expect(packets).toMatchObject([{ type: qos === 1 ? 'puback' : 'pubrec', reasonCode: 0x90 }]);
    expect(broker.events.filter((event) => event.name === 'peer.refused')).toHaveLength(1);
    await subscriber.expectNothing();
  });
});

describe('matching', () => {
  const cases = [
    ['sport/tennis/+', ['sport/tennis/player1', 'sport/tennis/'], ['sport/tennis', 'sport/tennis/player1/ranking']],
    ['sport/+', ['sport/', 'sport/x'], ['sport', 'sport/x/y', '/sport/x']],
    ['sport/#', ['sport', 'sport/', 'sport/x', 'sport/x/y'], ['sports', 'Sport', '/sport']],
    ['+', ['a', ' '], ['/', '/a', 'a/']],
    ['+/+', ['/finance', 'a/b', '/', 'a/'], ['finance', 'a/b/c']],
    ['/+', ['/finance', '/'], ['finance', '/a/b']],
    ['#', ['a', '/', '/a', 'a/b/c', ' '], []],
    ['+/#', ['a', 'a/b', '/', '/a'], []],
    ['a/+/c', ['a/b/c', 'a//c', 'a/+b/c'.replace('+', '')], ['a/c', 'a/b/b/c']],
  ] as const;

  it.each(cases)('%s', async (filter, matching, others) => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe({ filter, qos: 0 });
    for (const topic of [...matching, ...others]) publisher.publish(topic, topic);
    const packets = await subscriber.receiveAll();
    expect(packets.map((packet) => (packet.type === 'publish' ? packet.topic : packet.type))).toEqual([...matching]);
  });

  it('[MQTT-4.7.3-4] is byte by byte: no case, no normal form, no empty level is treated alike', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const topics = [
      'ACCOUNTS',
      'Accounts',
      'accounts',
      'caf\u00e9',
      'cafe\u0301',
      'a',
      '/a',
      'a/',
      'a//b',
      'a/b',
      '\ufeffa',
      ' a',
    ];
    for (const filter of topics) {
      const subscriber = await broker.connect(`s ${filter}`);
      await subscriber.subscribe({ filter, qos: 0 });
      for (const topic of topics) publisher.publish(topic, 'x');
      await subscriber.expectMessage(filter, 'x');
      await subscriber.expectNothing();
      await subscriber.disconnect();
    }
  });

  it('[MQTT-4.7.2-1] a filter that starts with a wildcard does not match a topic that starts with $', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const wild = await broker.connect('wild');
    await wild.subscribe(['#', '+/state', '+/+', '+/#']);
    const named = await broker.connect('named');
    expect((await named.subscribe('$other/#')).reasonCodes).toEqual([2]);
    publisher.publish('$other/state', 'x', { retain: true });
    await named.expectMessage('$other/state', 'x');
    await wild.expectNothing();
    await wild.subscribe('#');
    await wild.expectNothing();
    publisher.publish('a/$other', 'in the middle it is a character like any other');
    expect((await wild.receiveAll()).length).toBe(1);
  });
});
