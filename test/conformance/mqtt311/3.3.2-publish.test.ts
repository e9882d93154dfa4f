// MQTT 3.1.1, 3.3.2 to 3.3.5: topic of a PUBLISH, its answer, and what the broker does with it.

import { describe, expect, it } from 'vitest';
import { frame, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, KEPT, payloadsOf } from './clients.ts';

describe('topic name', () => {
  it.each([
    ['no length', ''],
    ['half a length', '00'],
    ['less than its length says', '00 05 61'],
    ['an empty one', '00 00 78'],
  ])('[MQTT-3.3.2-1] [MQTT-4.7.3-1] %s ends the connection', async (_what, body) => {
    const broker = startTestBroker();
    const watcher = await connect(broker, 'watcher');
    await watcher.subscribe('#');
    const client = await connect(broker, 'client');
    client.sendBytes(frame(0x30, body));
    await client.expectClosed();
    await watcher.expectNothing();
  });

  it.each(['#', '+', 'a/#', 'a/+/b', 'a+', 'a#'])(
    '[MQTT-3.3.2-2] [MQTT-4.7.1-1] a wildcard in it (%s) ends the connection',
    async (topic) => {
      const broker = startTestBroker();
      const watcher = await connect(broker, 'watcher');
      await watcher.subscribe('#');
      const client = await connect(broker, 'client');
      client.sendBytes(frame(0x32, text(topic), uint16(1), 0x78));
      await client.expectClosed();
      const willing = broker.open(4);
      willing.sendBytes(frame(0x10, text('MQTT'), 4, 6, uint16(0), text('w'), text(topic), text('x')));
      await willing.expectClosed();
      await watcher.expectNothing();
    },
  );

  it('[MQTT-3.3.2-3] what arrives has a topic that the filter matches, and all that matches arrives', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const topics = ['a', 'a/b', 'a/b/c', 'b', '/a', 'a/', 'a//c', '/', 'A'];
    const expected: Record<string, string[]> = {
      a: ['a'],
      'a/#': ['a', 'a/b', 'a/b/c', 'a/', 'a//c'],
      'a/+': ['a/b', 'a/'],
      'a/+/c': ['a/b/c', 'a//c'],
      '+': ['a', 'b', 'A'],
      '+/+': ['a/b', '/a', 'a/', '/'],
      '/+': ['/a', '/'],
      '+/b/#': ['a/b', 'a/b/c'],
      '#': topics,
    };
    const clients = new Map<string, Awaited<ReturnType<typeof connect>>>();
    for (const filter of Object.keys(expected)) {
      const client = await connect(broker, `c ${filter}`.replace(/[#+/]/g, '_') + clients.size);
      await client.subscribe({ filter, qos: 0 });
      clients.set(filter, client);
    }
    for (const topic of topics) publisher.publish(topic, topic);
    for (const [filter, client] of clients) {
      const packets = await client.receiveAll();
      expect(payloadsOf(packets)).toEqual(expected[filter]);
      expect(packets.map((packet) => packet.type === 'publish' && packet.topic)).toEqual(expected[filter]);
    }
  });
});

describe('the answer', () => {
  it('[MQTT-3.3.4-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2] none, PUBACK or PUBREC by QoS', async () => {
    const client = await connect(startTestBroker(), 'c');
    client.publish('a', 'x');
    await client.expectNothing();
    client.publish('a', 'x', { qos: 1, packetId: 10 });
    expect(await client.receiveAll()).toMatchObject([{ type: 'puback', packetId: 10 }]);
    client.publish('a', 'x', { qos: 2, packetId: 11 });
    expect(await client.receiveAll()).toMatchObject([{ type: 'pubrec', packetId: 11 }]);
  });

  it('[MQTT-3.3.5-2] without the right it is acknowledged to its end and dropped; the connection stays', async () => {
    const broker = startTestBroker({ rules: ['allow subscribe #', 'allow publish ok/#'] });
    const [watcher, client] = [await connect(broker, 'watcher'), await connect(broker, 'c', KEPT)];
    await watcher.subscribe('#');
    client.publish('secret', 'x');
    await client.expectNothing();
    await client.deliver('secret', 'x', { qos: 1 });
    await client.deliver('secret', 'x', { qos: 2 });
    await client.deliver('secret', 'x', { qos: 1, retain: true });
    await watcher.expectNothing();
    await client.deliver('ok/1', 'y', { qos: 2 });
    await watcher.expectMessage('ok/1', 'y');
    const late = await connect(broker, 'late');
    await late.subscribe('#');
    await late.expectNothing();
    expect(broker.events.filter((event) => event.name === 'peer.refused')).toHaveLength(4);
  });

  it('[MQTT-3.3.5-2] a refused QoS 2 message stays refused when it is sent again and released after a reconnect', async () => {
    const broker = startTestBroker({ rules: ['allow subscribe #', 'allow publish ok/#'] });
    const watcher = await connect(broker, 'watcher');
    await watcher.subscribe('#');
    const first = await connect(broker, 'c', KEPT);
    first.publish('secret', 'x', { qos: 2, packetId: 5 });
    await first.receive('pubrec');
    await first.cut();
    const second = await connect(broker, 'c', KEPT);
    second.publish('secret', 'x', { qos: 2, packetId: 5, dup: true });
    await second.receive('pubrec');
    await second.cut();
    const third = await connect(broker, 'c', KEPT);
    third.ack('pubrel', 5);
    expect(await third.receive('pubcomp')).toMatchObject({ packetId: 5 });
    await watcher.expectNothing();
  });
});

describe('overlapping subscriptions', () => {
  it.each([
    [0, 2],
    [2, 0],
    [1, 0],
    [1, 2],
  ] as const)('[MQTT-3.3.5-1] granted QoS %i and %i: one copy with the highest', async (one, other) => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe([
      { filter: 'a/+', qos: one },
      { filter: 'a/#', qos: other },
    ]);
    await publisher.deliver('a/b', 'x', { qos: 2 });
    const packets = await subscriber.receiveAll();
    expect(packets).toMatchObject([{ type: 'publish', qos: Math.max(one, other) }]);
  });
});

describe('more at once than the broker likes', () => {
  it('a client of MQTT 3 beyond the Receive Maximum is slowed down, not thrown out', async () => {
    const broker = startTestBroker({ limits: { receiveMaximum: 3 } });
    const away = await connect(broker, 'away', KEPT);
    await away.subscribe('a');
    await away.disconnect();
    const publisher = await connect(broker, 'p');
    publisher.send(...Array.from({ length: 100 }, (_, n) => publisher.publication('a', String(n), { qos: 1 })));
    const acks = await publisher.receiveAll();
    expect(acks.map((packet) => packet.type === 'puback' && packet.packetId)).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 1),
    );
    await publisher.ping();
    const back = await connect(broker, 'away', KEPT);
    expect(await back.takeMessages(100)).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
  });

  it('nor is one with many QoS 2 messages open', async () => {
    const broker = startTestBroker({ limits: { receiveMaximum: 3 } });
    const [subscriber, publisher] = [await connect(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe('a');
    for (let id = 1; id <= 50; id++) publisher.publish('a', String(id), { qos: 2, packetId: id });
    expect((await publisher.receiveAll()).filter((packet) => packet.type === 'pubrec')).toHaveLength(50);
    for (let id = 1; id <= 50; id++) publisher.ack('pubrel', id);
    expect((await publisher.receiveAll()).filter((packet) => packet.type === 'pubcomp')).toHaveLength(50);
    expect(await subscriber.takeMessages(50)).toEqual(Array.from({ length: 50 }, (_, n) => String(n + 1)));
  });
});
