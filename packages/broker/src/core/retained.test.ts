import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker } from '../../../../test/harness/index.ts';
import { will } from '../../../../test/harness/will.ts';
import type { Store } from '../ports/store.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';

const KEPT = { sessionExpiryInterval: 600 };

/** A store that counts pages of retained messages that are being read at once. */
function watchedStore(): { store: Store; most: () => number; asked: () => number } {
  const store = new MemoryStore({ defer: setImmediate });
  const match = store.matchRetained.bind(store);
  let [open, most, asked] = [0, 0, 0];
  store.matchRetained = (filter, cursor, max, callback) => {
    asked += 1;
    open += 1;
    most = Math.max(most, open);
    match(filter, cursor, max, (...page) => {
      open -= 1;
      callback(...page);
    });
  };
  return { store, most: () => most, asked: () => asked };
}

describe('retained messages after SUBSCRIBE', () => {
  it.each([0, 1] as const)('all come at QoS %i, however large they are together', async (qos) => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 100_000, queueBytesMax: 100_000 } });
    const publisher = await broker.connect('p');
    for (let n = 0; n < 60; n++) await publisher.deliver(`a/${n}`, 'x'.repeat(20_000), { retain: true, qos: 1 });
    const subscriber = await broker.connect('s');
    await subscriber.subscribe({ filter: 'a/#', qos });
    expect(await subscriber.takeMessages(60)).toHaveLength(60);
    expect(broker.events.filter(({ name }) => name === 'session.dropped-message')).toEqual([]);
  });

  it('reach a session whose stored queue never runs empty', async () => {
    const broker = startTestBroker({ limits: { inFlightMax: 1 } });
    const [publisher, subscriber] = [
      await broker.connect('p'),
      await broker.connect('s', { cleanStart: false, properties: KEPT }),
    ];
    await publisher.deliver('kept', 'retained', { retain: true });
    await subscriber.subscribe('busy');
    await subscriber.subscribe({ filter: 'kept', qos: 0 });
    await subscriber.expectMessage('kept', 'retained');
    for (let n = 0; n < 4; n++) await publisher.deliver('busy', `${n}`, { qos: 2 });
    // Behind, and nothing is acknowledged.
    await subscriber.subscribe({ filter: 'kept', qos: 0 }).catch(() => undefined);
    const rest = await subscriber.receiveAll();
    expect(rest.some((packet) => packet.type === 'publish' && packet.topic === 'kept')).toBe(true);
  });

  it('are read one page at a time, and once for a filter that is asked for again and again', async () => {
    const { store, most, asked } = watchedStore();
    const broker = startTestBroker({ store });
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await publisher.deliver('a', 'x', { retain: true });
    const request = (packetId: number) => ({
      type: 'subscribe' as const,
      packetId,
      subscriptions: Array.from({ length: 100 }, () => ({
        filter: 'a',
        qos: 0 as const,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0 as const,
      })),
      properties: {},
    });
    subscriber.send(...Array.from({ length: 20 }, (_, at) => request(at + 1)));
    await subscriber.receiveAll();
    expect(most()).toBe(1);
    expect(asked()).toBeLessThan(30);
  });

  it('[MQTT-3.10.4-2] do not go on coming after UNSUBSCRIBE', async () => {
    const broker = startTestBroker();
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    for (let n = 0; n < 200; n++) await publisher.deliver(`a/${n}`, `${n}`, { retain: true });
    subscriber.requestSubscribe({ filter: 'a/#', qos: 0 });
    subscriber.send({ type: 'unsubscribe', packetId: 77, filters: ['a/#'], properties: {} });
    const types = (await subscriber.receiveAll()).map(({ type }) => type);
    expect(types.lastIndexOf('publish')).toBeLessThan(types.indexOf('unsuback'));
  });

  it.each([0, 1] as const)('[MQTT-4.6.0-6] none follows a newer one that was sent live, QoS %i', async (qos) => {
    const broker = startTestBroker();
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await publisher.deliver('t', 'old', { retain: true });
    subscriber.requestSubscribe({ filter: 't', qos });
    publisher.publish('t', 'new', { retain: true, qos: 1 });
    await subscriber.receive('suback');
    expect((await subscriber.takeMessages(1)).at(-1)).toBe('new');
    for (const packet of await subscriber.receiveAll()) {
      if (packet.type === 'publish') expect(new TextDecoder().decode(packet.payload)).toBe('new');
    }
  });

  it.each([0, 1] as const)('[MQTT-3.3.1-12] one that came live is not handed over as well, QoS %i', async (qos) => {
    const broker = startTestBroker();
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await publisher.deliver('t', 'old', { retain: true });
    // While what the first filter matches is read, the second one waits.
    subscriber.requestSubscribe(['other', 't'].map((filter) => ({ filter, qos })));
    publisher.publish('t', 'new', { retain: true, qos: 1 });
    const messages = (await subscriber.receiveAll()).filter(({ type }) => type === 'publish');
    expect(messages).toEqual([expect.objectContaining({ topic: 't', retain: false })]);
  });

  it('[MQTT-3.3.1-9] one that was lost when it came is handed over', async () => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 10_000 } });
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    for (let n = 0; n < 20; n++) await publisher.deliver(`a/${n}`, 'x'.repeat(20_000), { retain: true });
    subscriber.pause();
    subscriber.requestSubscribe(['a/#', 't'].map((filter) => ({ filter, qos: 0 as const })));
    await publisher.ping();
    await publisher.deliver('t', 'new', { retain: true });
    expect(broker.counters.messagesDropped).toBe(1);
    subscriber.resume();
    const messages = (await subscriber.receiveAll()).filter(({ type }) => type === 'publish');
    expect(messages.at(-1)).toMatchObject({ topic: 't', retain: true });
  });

  it('one that came live does not come again because a newer one was lost', async () => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 10_000 } });
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    for (let n = 0; n < 20; n++) await publisher.deliver(`a/${n}`, 'x'.repeat(20_000), { retain: true });
    subscriber.requestSubscribe({ filter: 'a/#', qos: 0 });
    // Live, before the page is there that has it as well.
    publisher.publish('a/9', 'first', { retain: true });
    subscriber.pause();
    await publisher.ping();
    await publisher.deliver('a/9', 'second', { retain: true });
    subscriber.resume();
    const texts = (await subscriber.receiveAll()).map((packet) =>
      packet.type === 'publish' && packet.topic === 'a/9' ? new TextDecoder().decode(packet.payload) : undefined,
    );
    expect(broker.counters.messagesDropped).toBe(1);
    expect(texts.filter((text) => text !== undefined)).toEqual(['first']);
  });

  it('one that has expired does not take the newer one with it', async () => {
    const broker = startTestBroker();
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await publisher.deliver('a', 'old', { retain: true, properties: { messageExpiryInterval: 1 } });
    await broker.advance(2_000);
    subscriber.requestSubscribe({ filter: 'a', qos: 0 });
    publisher.publish('a', 'new', { retain: true });
    await subscriber.receiveAll();
    const late = await broker.connect('late');
    await late.subscribe({ filter: 'a', qos: 0 });
    await late.expectMessage('a', 'new');
  });
});

describe('[MQTT-4.6.0-6] a retained message does not come after a newer one', () => {
  /** More topics than are remembered at once. */
  const MANY = 9_000;

  it('however many others came while the client took its time', async () => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 20_000 } });
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    for (let n = 0; n < 20; n++) await publisher.deliver(`a/${n}`, 'x'.repeat(5_000), { retain: true });
    subscriber.pause();
    subscriber.requestSubscribe({ filter: 'a/#', qos: 1 });
    await publisher.ping();
    await publisher.deliver('a/9', 'new', { retain: true, qos: 1 });
    for (let n = 0; n < MANY; n++) publisher.publish(`b/${n}`, 'x', { retain: true });
    await publisher.ping();
    subscriber.resume();
    expect((await payloadsOf(subscriber, 'a/9')).at(-1)).toBe('new');
  });

  it('however many came while it was looked up', async () => {
    const store = new MemoryStore({ defer: setImmediate });
    const broker = startTestBroker({ store });
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await publisher.deliver('a', 'old', { retain: true });
    const match = store.matchRetained.bind(store);
    let answer = (): void => undefined;
    store.matchRetained = (filter, cursor, max, callback) => {
      match(filter, cursor, max, (...page) => {
        answer = () => callback(...page);
      });
    };
    await subscriber.subscribe({ filter: 'a', qos: 1 });
    store.matchRetained = match;
    await publisher.deliver('a', 'new', { retain: true, qos: 1 });
    for (let n = 0; n < MANY; n++) publisher.publish(`b/${n}`, 'x', { retain: true });
    await publisher.ping();
    answer();
    expect((await payloadsOf(subscriber, 'a')).at(-1)).toBe('new');
  });

  /** All that comes on the topic, acknowledged. */
  async function payloadsOf(client: RawClient, of: string): Promise<string[]> {
    const payloads: string[] = [];
    for (let packets = await client.receiveAll(); packets.length > 0; packets = await client.receiveAll()) {
      for (const packet of packets) {
        if (packet.type !== 'publish') continue;
        if (packet.topic === of) payloads.push(new TextDecoder().decode(packet.payload));
        if (packet.qos === 1) client.ack('puback', packet.packetId);
      }
    }
    return payloads;
  }
});

describe('limits of retained messages', () => {
  const full = { limits: { retainedMessagesMax: 1 } };

  it('hold for wills', async () => {
    const broker = startTestBroker(full);
    const will = { payload: new Uint8Array([1]), qos: 0 as const, retain: true, properties: {} };
    for (const name of ['one', 'two', 'three']) {
      const client = await broker.connect(name, { will: { ...will, topic: `will/${name}` as never } });
      await client.cut();
    }
    const late = await broker.connect('late');
    await late.subscribe({ filter: '#', qos: 0 });
    expect(await late.takeMessages(1)).toHaveLength(1);
    await late.expectNothing();
    expect(broker.events.filter(({ name }) => name === 'will.published')).toHaveLength(3);
  });

  it('keep no will from those who are there', async () => {
    const broker = startTestBroker(full);
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await publisher.deliver('a', 'x', { retain: true });
    await subscriber.subscribe({ filter: 'w', qos: 0 });
    const client = await broker.connect('c', { will: will('w', 'gone', { retain: true }) });
    await client.cut();
    await subscriber.expectMessage('w', 'gone');
  });

  it('hold for what comes in one chunk', async () => {
    const broker = startTestBroker(full);
    const publisher = await broker.connect('p');
    publisher.send(...Array.from({ length: 50 }, (_, n) => publisher.publication(`t/${n}`, 'x', { retain: true })));
    await publisher.ping();
    const late = await broker.connect('late');
    await late.subscribe({ filter: '#', qos: 0 });
    expect(await late.receiveAll()).toHaveLength(1);
  });

  it('count a topic once, however often a burst has it', async () => {
    const broker = startTestBroker({ limits: { retainedBytesMax: 1000 } });
    const publisher = await broker.connect('p');
    const burst = [
      ...Array.from({ length: 20 }, (_, n) => ['t', `${n}`.padEnd(900, 'x')] as const),
      ['u', 'y'.repeat(900)],
      ['t', ''],
      ['u', 'y'.repeat(900)],
      ['t', 'x'.repeat(900)],
      ['u', 'y'.repeat(100)],
      ['t', 'x'.repeat(800)],
    ] as const;
    publisher.send(
      ...burst.map(([topic, payload], n) =>
        publisher.publication(topic, payload, { retain: true, qos: 1, packetId: n + 1 }),
      ),
    );
    const refused: number[] = [];
    for (let n = 0; n < burst.length; n++) {
      const ack = await publisher.receive('puback');
      if (ack.reasonCode === 0x97) refused.push(ack.packetId);
    }
    // What u would add beside t, and t beside u.
    expect(refused).toEqual([21, 24]);
    const late = await broker.connect('late');
    await late.subscribe({ filter: '#', qos: 0 });
    expect((await late.takeMessages(2)).map((payload) => payload.length).sort()).toEqual([100, 800]);
  });

  it('let a message be replaced by one of its size', async () => {
    const broker = startTestBroker({ limits: { retainedBytesMax: 1000 } });
    const publisher = await broker.connect('p');
    for (const letter of ['x', 'y']) {
      expect(await publisher.deliver('t', letter.repeat(900), { retain: true })).toBe(0x10);
    }
    expect(await publisher.deliver('u', 'z'.repeat(900), { retain: true })).toBe(0x97);
  });

  it('are not taken by messages that have expired', async () => {
    const broker = startTestBroker(full);
    const publisher = await broker.connect('p');
    const properties = { messageExpiryInterval: 1 };
    expect(await publisher.deliver('a', 'x', { retain: true, properties })).toBe(0x10);
    expect(await publisher.deliver('b', 'x', { retain: true })).toBe(0x97);
    await broker.advance(60_000);
    expect(await publisher.deliver('b', 'x', { retain: true })).toBe(0x10);
  });

  it('hold when QoS 2 messages that came together are released', async () => {
    const broker = startTestBroker(full);
    const publisher = await broker.connect('p');
    for (let packetId = 1; packetId <= 5; packetId++) {
      publisher.publish(`a/${packetId}`, 'x', { qos: 2, retain: true, packetId });
      await publisher.receive('pubrec');
    }
    for (let packetId = 1; packetId <= 5; packetId++) {
      publisher.ack('pubrel', packetId);
      await publisher.receive('pubcomp');
    }
    const late = await broker.connect('late');
    await late.subscribe({ filter: '#', qos: 0 });
    expect(await late.takeMessages(1)).toHaveLength(1);
    await late.expectNothing();
  });
});
