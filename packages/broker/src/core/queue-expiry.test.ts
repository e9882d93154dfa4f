import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../../../test/harness/index.ts';
import { TornDisk, TornEngine } from '../../../../test/sim/torn-engine.ts';
import { openLevelStore } from '../store/level/open.ts';

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
