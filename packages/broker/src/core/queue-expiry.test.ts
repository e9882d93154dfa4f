import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../../../test/harness/index.ts';
import { TornDisk, TornEngine } from '../../../../test/sim/torn-engine.ts';
import { openLevelStore } from '../store/level/open.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';

const KEPT = { sessionExpiryInterval: 600 };
const BRIEF = { messageExpiryInterval: 1 };
const STORE = { lingerMs: 5, defer: setImmediate, after: () => undefined, nowMs: Date.now };

describe('messages that expire while their session is away', () => {
  it('[MQTT-3.3.2-5] do not keep newer ones out of its queue', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 150 } });
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await away.subscribe('t');
    await away.cut();
    await publisher.deliver('t', 'stays');
    for (let n = 0; n < 149; n++) await publisher.deliver('t', `${n}`, { properties: BRIEF });
    for (let n = 0; n < 10; n++) await broker.advance(1_000);
    for (let n = 0; n < 149; n++) await publisher.deliver('t', `new ${n}`);
    expect(broker.events.filter(({ name }) => name === 'session.dropped-message')).toEqual([]);
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    const got = await back.takeMessages(150);
    expect([got[0], got[1], got.at(-1)]).toEqual(['stays', 'new 0', 'new 148']);
  });

  it('are given up once, however often they are looked at before the disk takes it', async () => {
    const disk = new TornDisk();
    const engine = new TornEngine(disk, { defer: setImmediate, oneIn: () => false });
    const broker = startTestBroker({ store: await openLevelStore(engine, STORE) });
    const publisher = await broker.connect('p');
    let away = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await away.subscribe('t');
    await away.cut();
    await publisher.deliver('t', 'stays');
    for (let n = 0; n < 3; n++) await publisher.deliver('t', `${n}`, { properties: BRIEF });
    const owed = () => broker.clients().find(({ clientId }) => clientId === 's')?.queuedMessages;
    expect(owed()).toBe(4);
    disk.fault = new Error('no space left on device');
    for (let n = 0; n < 10; n++) await broker.advance(1_000);
    expect(owed()).toBe(1);
    away = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await away.cut();
    for (let n = 0; n < 20; n++) await broker.advance(1_000);
    expect(owed()).toBe(1);
    disk.fault = undefined;
  });

  it('are given up though they came while the queue was looked at', async () => {
    const held: (() => void)[] = [];
    let holds = false;
    const defer = (run: () => void) => (holds ? held.push(run) : setImmediate(run));
    const engine = new TornEngine(new TornDisk(), { defer, oneIn: () => false });
    const after = (_ms: number, run: () => void) => void setImmediate(run);
    const broker = startTestBroker({ store: await openLevelStore(engine, { ...STORE, after }) });
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await away.subscribe('t');
    await away.cut();
    await publisher.deliver('t', 'first', { properties: BRIEF });
    holds = true;
    await broker.advance(6_000);
    publisher.publish('t', 'second', { qos: 1, properties: BRIEF });
    await publisher.expectNothing();
    holds = false;
    for (const run of held.splice(0)) run();
    await publisher.receive('puback');
    for (let n = 0; n < 2; n++) await broker.advance(6_000);
    expect(broker.clients().find(({ clientId }) => clientId === 's')?.queuedMessages).toBe(0);
  });

  it('are given up once the queue can be read again', async () => {
    const store = new MemoryStore({ defer: setImmediate });
    const broker = startTestBroker({ store });
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await away.subscribe('t');
    await away.cut();
    await publisher.deliver('t', 'x', { properties: BRIEF });
    const readQueue = store.readQueue.bind(store);
    store.readQueue = (_key, _after, _max, callback) =>
      setImmediate(() => callback([], new Error('input/output error')));
    await broker.advance(6_000);
    store.readQueue = readQueue;
    await broker.advance(6_000);
    expect(broker.clients().find(({ clientId }) => clientId === 's')?.queuedMessages).toBe(0);
  });

  it('[MQTT-3.3.2-5] between PUBLISH and PUBREL are not delivered', async () => {
    const broker = startTestBroker();
    const [publisher, subscriber] = [await broker.connect('p'), await broker.connect('s')];
    await subscriber.subscribe('t');
    const packetId = publisher.publish('t', 'x', { qos: 2, properties: BRIEF });
    await publisher.receive('pubrec');
    await broker.advance(60_000);
    publisher.ack('pubrel', packetId);
    expect((await publisher.receive('pubcomp')).reasonCode).toBe(0);
    await subscriber.expectNothing();
  });

  it('a clock that is set back keeps no will and no session longer', async () => {
    const broker = startTestBroker();
    const watcher = await broker.connect('watcher');
    await watcher.subscribe({ filter: 'w', qos: 0 });
    const properties = { willDelayInterval: 5 };
    const will = { topic: 'w' as never, payload: new Uint8Array([1]), qos: 0 as const, retain: false, properties };
    const client = await broker.connect('c', { cleanStart: false, properties: { sessionExpiryInterval: 30 }, will });
    const nowMs = broker.clock.nowMs.bind(broker.clock);
    broker.clock.nowMs = () => nowMs() - 3_600_000;
    await broker.advance(1_000);
    await client.cut();
    for (let n = 0; n < 7; n++) await broker.advance(1_000);
    expect(await watcher.takeMessages(1)).toHaveLength(1);
    for (let n = 0; n < 30; n++) await broker.advance(1_000);
    expect(broker.events.filter(({ name }) => name === 'session.expired')).toHaveLength(1);
  });
});
