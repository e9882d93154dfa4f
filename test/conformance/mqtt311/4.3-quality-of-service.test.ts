// MQTT 3.1.1, 4.3 and 4.4: the delivery protocols, cut at every step in both directions, and what a resumed session repeats.

import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker, type TestBroker } from '../../harness/index.ts';
import { connect, KEPT, payloadsOf } from './clients.ts';

const resume = (broker: TestBroker, clientId: string): Promise<RawClient> => connect(broker, clientId, KEPT);

describe('QoS 0', () => {
  it('[MQTT-4.3.1-1] leaves with QoS 0 and DUP 0, once', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's', KEPT), await connect(broker, 'p')];
    await subscriber.subscribe({ filter: 'a', qos: 0 });
    await publisher.deliver('a', 'x', { qos: 2 });
    expect(await subscriber.expectMessage('a', 'x')).toMatchObject({ qos: 0, dup: false, packetId: 0 });
    await subscriber.cut();
    await (await resume(broker, 's')).expectNothing();
  });
});

describe('QoS 1, from the broker', () => {
  it('[MQTT-4.3.2-1] a free identifier, DUP 0, and open until its PUBACK', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    let subscriber = await resume(broker, 's');
    await subscriber.subscribe({ filter: 'a', qos: 1 });
    for (let n = 0; n < 4; n++) await publisher.deliver('a', String(n));
    const sent = await subscriber.receiveAll();
    expect(sent).toMatchObject(new Array(4).fill({ qos: 1, dup: false }));
    const ids = sent.map((packet) => (packet.type === 'publish' ? packet.packetId : 0));
    expect(new Set(ids).size).toBe(4);
    subscriber.ack('puback', ids[1] as number);
    await subscriber.ping();
    for (let round = 0; round < 2; round++) {
      await subscriber.cut();
      subscriber = await resume(broker, 's');
      expect(await subscriber.receiveAll()).toMatchObject(
        [0, 2, 3].map((n) => ({ type: 'publish', packetId: ids[n], dup: true, qos: 1 })),
      );
    }
  });

  it('[MQTT-4.4.0-1] nothing is sent again while the connection lives', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await resume(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'x', { qos: 1 });
    await publisher.deliver('a', 'y', { qos: 2 });
    await subscriber.receiveAll();
    await broker.advance(7 * 24 * 3600 * 1000);
    await subscriber.expectNothing();
  });

  it('a PUBACK for nothing, or for what was acknowledged already, changes nothing', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await resume(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe('a');
    subscriber.ack('puback', 77);
    await publisher.deliver('a', 'x');
    const { packetId } = await subscriber.expectMessage('a', 'x');
    subscriber.ack('puback', packetId);
    subscriber.ack('puback', packetId);
    await publisher.deliver('a', 'y');
    expect(await subscriber.takeMessages(1)).toEqual(['y']);
  });
});

describe('QoS 1, to the broker', () => {
  it('[MQTT-4.3.2-2] after PUBACK the identifier begins a new message, whatever DUP says', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's'), await connect(broker, 'p')];
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'one', { packetId: 7 });
    await publisher.deliver('a', 'two', { packetId: 7, dup: true });
    expect(await subscriber.takeMessages(2)).toEqual(['one', 'two']);
  });

  it('[MQTT-4.5.0-1] [MQTT-4.3.2-2] after PUBACK the message reaches everybody entitled, there or away, without the publisher', async () => {
    const broker = startTestBroker();
    const [here, away, other] = [await resume(broker, 'here'), await resume(broker, 'away'), await resume(broker, 'o')];
    await here.subscribe('a/#');
    await away.subscribe('+/b');
    await other.subscribe('a/c');
    await away.cut();
    const publisher = await connect(broker, 'p');
    publisher.publish('a/b', 'x', { qos: 1 });
    await publisher.receive('puback');
    await publisher.cut();
    await connect(broker, 'p');
    expect(await here.takeMessages(1)).toEqual(['x']);
    expect(await (await resume(broker, 'away')).takeMessages(1)).toEqual(['x']);
    await other.expectNothing();
  });
});

describe('QoS 2, from the broker: exactly once, wherever the connection breaks', () => {
  async function sent() {
    const broker = startTestBroker();
    const [first, publisher] = [await resume(broker, 's'), await connect(broker, 'p')];
    await first.subscribe('a');
    await publisher.deliver('a', 'x', { qos: 2 });
    const message = await first.expectMessage('a', 'x');
    expect(message).toMatchObject({ qos: 2, dup: false });
    return { broker, first, publisher, packetId: message.packetId };
  }

  it('[MQTT-4.3.3-1] [MQTT-4.4.0-1] before PUBREC: PUBLISH again, same identifier, DUP 1', async () => {
    const { broker, first, packetId } = await sent();
    await first.cut();
    const second = await resume(broker, 's');
    expect(await second.receiveAll()).toMatchObject([{ type: 'publish', qos: 2, dup: true, packetId }]);
    second.ack('pubrec', packetId);
    expect(await second.receive('pubrel')).toMatchObject({ packetId });
    second.ack('pubcomp', packetId);
    await second.cut();
    await (await resume(broker, 's')).expectNothing();
  });

  it('[MQTT-4.3.3-1] [MQTT-4.4.0-1] after PUBREC: PUBREL again and never PUBLISH, as often as it takes', async () => {
    const { broker, first, packetId } = await sent();
    first.ack('pubrec', packetId);
    expect(await first.receive('pubrel')).toMatchObject({ packetId });
    let client = first;
    for (let round = 0; round < 3; round++) {
      await client.cut();
      client = await resume(broker, 's');
      expect(await client.receiveAll()).toMatchObject([{ type: 'pubrel', packetId }]);
    }
    client.ack('pubcomp', packetId);
    await client.cut();
    await (await resume(broker, 's')).expectNothing();
  });

  it('[MQTT-4.3.3-1] a PUBREC in the very chunk before the connection breaks counts', async () => {
    const { broker, first, packetId } = await sent();
    first.ack('pubrec', packetId);
    await first.cut();
    const second = await resume(broker, 's');
    const packets = await second.receiveAll();
    // Either the broker had read it or not; a message it has read PUBREC for must not come again.
    if (packets[0]?.type === 'publish') expect(packets).toMatchObject([{ dup: true, packetId }]);
    else expect(packets).toMatchObject([{ type: 'pubrel', packetId }]);
  });

  it('[MQTT-4.3.3-1] PUBREC again gets PUBREL again; PUBREC for nothing gets PUBREL', async () => {
    const { first, packetId } = await sent();
    for (let n = 0; n < 3; n++) {
      first.ack('pubrec', packetId);
      expect(await first.receive('pubrel')).toMatchObject({ packetId });
    }
    first.ack('pubrec', 4242);
    expect(await first.receive('pubrel')).toMatchObject({ packetId: 4242 });
    first.ack('pubcomp', packetId);
    await first.expectNothing();
  });

  it('[MQTT-4.3.3-1] new messages do not take an identifier whose PUBCOMP is due', async () => {
    const { broker, first, publisher, packetId } = await sent();
    first.ack('pubrec', packetId);
    await first.receive('pubrel');
    await first.cut();
    await publisher.deliver('a', 'y', { qos: 2 });
    const second = await resume(broker, 's');
    const [rel, next] = await second.receiveAll();
    expect(rel).toMatchObject({ type: 'pubrel', packetId });
    expect(next).toMatchObject({ type: 'publish', dup: false });
    expect(next?.type === 'publish' && next.packetId).not.toBe(packetId);
  });
});

describe('QoS 2, to the broker: exactly once, wherever the connection breaks', () => {
  async function begun() {
    const broker = startTestBroker();
    const subscriber = await connect(broker, 's');
    await subscriber.subscribe('a');
    const first = await resume(broker, 'p');
    first.publish('a', 'x', { qos: 2, packetId: 9 });
    expect(await first.receive('pubrec')).toMatchObject({ packetId: 9 });
    return { broker, subscriber, first };
  }

  it('[MQTT-4.3.3-2] PUBREC lost: PUBLISH again with DUP gets PUBREC again, and one message is passed on', async () => {
    const { broker, subscriber, first } = await begun();
    await first.cut();
    const second = await resume(broker, 'p');
    for (let n = 0; n < 2; n++) {
      second.publish('a', 'x', { qos: 2, packetId: 9, dup: true });
      expect(await second.receive('pubrec')).toMatchObject({ packetId: 9 });
    }
    second.ack('pubrel', 9);
    expect(await second.receive('pubcomp')).toMatchObject({ packetId: 9 });
    expect(await subscriber.takeMessages(1)).toEqual(['x']);
    await subscriber.expectNothing();
  });

  it('[MQTT-4.3.3-2] PUBREL after a reconnect is answered and releases the message once', async () => {
    const { broker, subscriber, first } = await begun();
    await first.cut();
    const second = await resume(broker, 'p');
    second.ack('pubrel', 9);
    expect(await second.receive('pubcomp')).toMatchObject({ packetId: 9 });
    await second.cut();
    const third = await resume(broker, 'p');
    third.ack('pubrel', 9);
    expect(await third.receive('pubcomp')).toMatchObject({ packetId: 9 });
    expect(await subscriber.takeMessages(1)).toEqual(['x']);
    await subscriber.expectNothing();
  });

  it('[MQTT-4.3.3-2] after PUBCOMP the identifier begins a new message', async () => {
    const { subscriber, first } = await begun();
    first.ack('pubrel', 9);
    await first.receive('pubcomp');
    await first.deliver('a', 'y', { qos: 2, packetId: 9, dup: true });
    expect(await subscriber.takeMessages(2)).toEqual(['x', 'y']);
  });

  it('[MQTT-3.1.2-6] with clean session an open exchange is forgotten', async () => {
    const { broker, subscriber, first } = await begun();
    await first.cut();
    const clean = await connect(broker, 'p');
    clean.ack('pubrel', 9);
    expect(await clean.receive('pubcomp')).toMatchObject({ packetId: 9 });
    await subscriber.expectNothing();
    await clean.deliver('a', 'z', { qos: 2, packetId: 9 });
    expect(await subscriber.takeMessages(1)).toEqual(['z']);
  });

  it('[MQTT-4.3.3-2] [MQTT-4.5.0-1] a released message reaches who is away, without the publisher', async () => {
    const { broker, first } = await begun();
    const away = await resume(broker, 'away');
    await away.subscribe('a');
    await away.cut();
    first.ack('pubrel', 9);
    await first.receive('pubcomp');
    await first.cut();
    expect(await (await resume(broker, 'away')).takeMessages(1)).toEqual(['x']);
  });

  it('an exchange of one client does not touch the same number of another', async () => {
    const { broker, subscriber } = await begun();
    const other = await resume(broker, 'other');
    other.ack('pubrel', 9);
    await other.receive('pubcomp');
    await other.deliver('a', 'theirs', { qos: 2, packetId: 9 });
    expect(await subscriber.takeMessages(1)).toEqual(['theirs']);
  });
});

describe('the broker starts again', () => {
  it('[MQTT-4.4.0-1] [MQTT-4.1.0-1] what the store kept is repeated with the original identifiers', async () => {
    const { MemoryStore } = await import('../../../packages/broker/src/store/memory/memory-store.ts');
    const memory = new MemoryStore({ defer: setImmediate });
    // Its close would end the memory with the first broker.
    const store = Object.assign(Object.create(memory) as typeof memory, {});
    const kept = new Proxy(store, {
      get(_target, name) {
        if (name === 'close') return () => Promise.resolve();
        const value: unknown = Reflect.get(memory, name, memory);
        return typeof value === 'function' ? value.bind(memory) : value;
      },
    });
    const before = startTestBroker({ store: kept });
    const [subscriber, publisher] = [await resume(before, 's'), await resume(before, 'p')];
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'one', { qos: 1 });
    await publisher.deliver('a', 'two', { qos: 2 });
    const sent = await subscriber.receiveAll();
    const [one, two] = sent.map((packet) => (packet.type === 'publish' ? packet.packetId : 0));
    subscriber.ack('pubrec', two as number);
    await subscriber.receive('pubrel');
    publisher.publish('a', 'three', { qos: 2, packetId: 5 });
    await publisher.receive('pubrec');
    await before.stop();

    const after = startTestBroker({ store: kept });
    const again = await resume(after, 's');
    expect(again.connack?.sessionPresent).toBe(true);
    expect(await again.receiveAll()).toMatchObject([
      { type: 'publish', packetId: one, dup: true },
      { type: 'pubrel', packetId: two },
    ]);
    const publisherAgain = await resume(after, 'p');
    publisherAgain.ack('pubrel', 5);
    await publisherAgain.receive('pubcomp');
    expect(payloadsOf(await again.receiveAll())).toEqual(['three']);
  });
});
