// MQTT 3.1.1, 4.8: what breaks the rules, or cannot be carried out, ends its own connection and nothing else.

import { describe, expect, it } from 'vitest';
import type { Store } from '../../../packages/broker/src/ports/store.ts';
import { MemoryStore } from '../../../packages/broker/src/store/memory/memory-store.ts';
import { loadVectors } from '../../../packages/wire/src/testing/vectors.ts';
import { frame, joined, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, connectHeader4, KEPT } from './clients.ts';

describe('violations', () => {
  const cases = [
    { title: 'PUBACK without an identifier', packet: frame(0x40) },
    { title: 'PUBACK with a byte too many', packet: frame(0x40, uint16(1), 0) },
    { title: 'PUBREC with a byte too many', packet: frame(0x50, uint16(1), 0) },
    { title: 'PUBREL with half an identifier', packet: frame(0x62, 0) },
    { title: 'PUBCOMP with a byte too many', packet: frame(0x70, uint16(1), 0) },
    { title: 'PUBLISH with QoS 1 that ends before its identifier', packet: frame(0x32, text('a'), 0) },
    { title: 'AUTH, which is MQTT 5.0', packet: frame(0xf0) },
    { title: 'packet type 0', packet: frame(0x00) },
    { title: 'a packet larger than the broker takes', packet: joined([0x30, 'ff ff ff 7f']) },
  ];
  it.each(cases)('[MQTT-4.8.0-1] $title ends its connection and nobody else’s', async ({ packet }) => {
    const broker = startTestBroker();
    const [watcher, publisher] = [await connect(broker, 'w'), await connect(broker, 'p')];
    await watcher.subscribe('#');
    const client = await connect(broker, 'c');
    client.sendBytes(packet);
    await client.expectClosed();
    await publisher.deliver('a', 'x');
    expect(await watcher.takeMessages(1)).toEqual(['x']);
  });

  it('[MQTT-4.8.0-1] an answer of the wrong kind to an open message ends the connection', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    for (const [qos, answer] of [
      [1, 'pubrec'],
      [1, 'pubcomp'],
      [2, 'puback'],
      [2, 'pubcomp'],
    ] as const) {
      const client = await connect(broker, 'c');
      await client.subscribe({ filter: 'a', qos });
      await publisher.deliver('a', 'x', { qos: 2 });
      const { packetId } = await client.expectMessage('a', 'x');
      client.ack(answer, packetId);
      await client.expectClosed();
    }
    await publisher.ping();
  });

  it('[MQTT-4.8.0-1] what stands behind the violation in the same chunk is not worked on', async () => {
    const broker = startTestBroker();
    const watcher = await connect(broker, 'w');
    await watcher.subscribe('#');
    const client = await connect(broker, 'c');
    client.sendBytes(joined([frame(0x30, text('before'), 0x78), frame(0x00), frame(0x30, text('behind'), 0x78)]));
    await client.expectClosed();
    await watcher.expectMessage('before', 'x');
    await watcher.expectNothing();
  });
});

describe('every packet that the vectors refuse', () => {
  const refused = loadVectors().filter((vector) => vector.version !== 5 && vector.refused && !vector.incomplete);
  const files = [...new Set(refused.map(({ file }) => file))];

  it.each(files)('[MQTT-4.8.0-1] %s: each ends its connection, and all of them together no other', async (file) => {
    const broker = startTestBroker();
    const [watcher, publisher] = [await connect(broker, 'w'), await connect(broker, 'p')];
    await watcher.subscribe('#');
    for (const { name, version, bytes } of refused.filter((vector) => vector.file === file)) {
      const client = file === 'connect.json' ? broker.open(version) : await broker.connect('c', { version });
      client.sendBytes(bytes);
      const packets = await client.receiveAll();
      expect([name, packets.filter((packet) => packet.type !== 'connack' || packet.reasonCode === 0)]).toEqual([
        name,
        [],
      ]);
      expect([name, client.closed]).toEqual([name, true]);
    }
    await watcher.expectNothing();
    await publisher.deliver('a', 'x');
    expect(await watcher.takeMessages(1)).toEqual(['x']);
  });
});

describe('what the broker cannot carry out', () => {
  /** A store that answers and commits with a fault once it is told to. */
  function faultyStore() {
    const store = new MemoryStore({ defer: setImmediate });
    let isBroken = false;
    const fault = new Error('the disk is gone');
    const replaced: Partial<Store> = {
      onCommitted: (listener) => store.onCommitted((upTo) => (isBroken ? listener(upTo, fault) : listener(upTo))),
      openSession: (key, callback) =>
        isBroken ? setImmediate(() => callback(undefined, fault)) : store.openSession(key, callback),
      matchRetained: (filter, cursor, max, callback) =>
        isBroken
          ? setImmediate(() => callback([], undefined, fault))
          : store.matchRetained(filter, cursor, max, callback),
    };
    const proxy = new Proxy<Store>(store, {
      get(_target, name) {
        const value: unknown = Reflect.get(replaced, name) ?? Reflect.get(store, name, store);
        return typeof value === 'function' ? value.bind(store) : value;
      },
    });
    const breakStore = (): void => {
      isBroken = true;
    };
    return { store: proxy, breakStore };
  }

  it('[MQTT-4.8.0-2] a session that cannot be read: return code 3 and the end', async () => {
    const { store, breakStore } = faultyStore();
    const broker = startTestBroker({ store });
    const bystander = await connect(broker, 'bystander');
    breakStore();
    const client = broker.open(4);
    client.sendBytes(frame(0x10, connectHeader4(0x00), text('c')));
    expect(await client.receiveAll()).toMatchObject([{ type: 'connack', reasonCode: 3, sessionPresent: false }]);
    expect(client.closed).toBe(true);
    await bystander.ping();
    expect(broker.events.filter((event) => event.name === 'store.fault')).toHaveLength(1);
  });

  it.each([1, 2] as const)(
    '[MQTT-4.8.0-2] a message of QoS %i that cannot be stored is not acknowledged: the connection ends',
    async (qos) => {
      const { store, breakStore } = faultyStore();
      const broker = startTestBroker({ store });
      const away = await connect(broker, 'away', KEPT);
      await away.subscribe('a');
      await away.disconnect();
      const [publisher, bystander] = [await connect(broker, 'p', KEPT), await connect(broker, 'bystander')];
      breakStore();
      publisher.publish('a', 'x', { qos });
      await publisher.expectClosed();
      await bystander.ping();
    },
  );

  it('[MQTT-4.8.0-2] retained messages that cannot be read: the connection ends', async () => {
    const { store, breakStore } = faultyStore();
    const broker = startTestBroker({ store });
    const [client, bystander] = [await connect(broker, 'c'), await connect(broker, 'bystander')];
    breakStore();
    client.requestSubscribe('a');
    const packets = await client.receiveAll();
    expect(packets.map((packet) => packet.type)).toEqual(['suback']);
    expect(client.closed).toBe(true);
    await bystander.ping();
  });
});
