// Memory that runs short: who is turned away first, and that nobody loses what it has. The budget here is 1,000 bytes, and the
// broker is told how much of it is used.

import { describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../harness/index.ts';

const KEEPING = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };

function startWithBudget(): TestBroker {
  return startTestBroker({ limits: { memoryBytesMax: 1_000 } });
}

async function use(broker: TestBroker, bytes: number): Promise<void> {
  broker.gauge.memory = bytes;
  await broker.advance(1_000);
}

describe('when memory runs short', () => {
  it('at 80 % new sessions that outlive their connection are refused, others and known ones are not', async () => {
    const broker = startWithBudget();
    for (const id of ['known', 'fresh']) await (await broker.connect(id, KEEPING)).cut();
    await use(broker, 800);
    const five = broker.open(5);
    await five.connect('new', KEEPING);
    expect(five.connack?.reasonCode).toBe(0x97);
    await five.expectClosed();
    const three = broker.open(4);
    await three.connect('new3', { cleanStart: false });
    expect(three.connack?.reasonCode).toBe(3);
    await three.expectClosed();
    await (await broker.connect('new')).ping();
    expect((await broker.connect('known', KEEPING)).connack?.sessionPresent).toBe(true);
    // Known is who has a stored session, also if it wants a new one in its place.
    expect((await broker.connect('fresh', { ...KEEPING, cleanStart: true })).connack?.sessionPresent).toBe(false);
    expect(broker.events.find(({ name }) => name === 'overload.entered')).toMatchObject({ what: 'memory', stage: 1 });
    expect(broker.findings).toEqual([
      expect.stringMatching(/^memory: 80 % of .* new sessions that outlive their connection are refused$/),
    ]);
    const refusals = broker.events.filter((event) => event.name === 'peer.refused');
    expect(refusals).toHaveLength(2);
    for (const refusal of refusals) expect(refusal).toMatchObject({ layer: 'broker', rule: 'limits.memoryBytesMax' });
  });

  it('at 90 % clients without a session are refused, and known devices get all they were owed', async () => {
    const broker = startWithBudget();
    const publisher = await broker.connect('p');
    const known = await broker.connect('known', KEEPING);
    await known.subscribe('t');
    await known.cut();
    await use(broker, 900);
    const stranger = broker.open(5);
    await stranger.connect('stranger');
    expect(stranger.connack?.reasonCode).toBe(0x97);
    for (let n = 0; n < 20; n++) expect(await publisher.deliver('t', `${n}`)).toBe(0);
    const back = await broker.connect('known', KEEPING);
    expect(await back.takeMessages(20)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
  });

  it('who is refused keeps the connection that it has, and who takes over its own is not a stranger', async () => {
    const broker = startWithBudget();
    const brief = await broker.connect('c');
    await use(broker, 930);
    const greedy = broker.open(5);
    await greedy.connect('c', KEEPING);
    expect(greedy.connack?.reasonCode).toBe(0x97);
    await brief.ping();
    await (await broker.connect('c')).ping();
    await brief.expectDisconnected('session-taken-over');
  });

  it('at 95 % QoS 0 is given up for who does not read, not for who does, and QoS 1 waits', async () => {
    const broker = startWithBudget();
    const [publisher, reader] = [await broker.connect('p'), await broker.connect('reader')];
    const stuck = await broker.connect('stuck', KEEPING);
    for (const client of [reader, stuck]) await client.subscribe({ filter: 't/#', qos: 1 });
    stuck.pause();
    const payload = 'x'.repeat(2_000);
    const flood = async (count: number): Promise<number> => {
      const before = broker.counters.messagesDropped;
      for (let n = 0; n < count; n++) {
        publisher.publish('t/0', payload);
        await publisher.ping();
        await reader.expectMessage('t/0', payload);
      }
      return broker.counters.messagesDropped - before;
    };
    await use(broker, 940);
    // Far below `unsentBytesMax`: while there is memory all of it is kept.
    expect(await flood(100)).toBe(0);
    await use(broker, 950);
    expect(await flood(100)).toBe(100);
    await publisher.deliver('t/1', 'kept');
    await reader.expectMessage('t/1', 'kept');
    stuck.resume();
    const got = (await stuck.receiveAll()).filter((packet) => packet.type === 'publish');
    expect(got).toHaveLength(101);
    expect(got.at(-1)).toMatchObject({ topic: 't/1', qos: 1 });
  });

  it('is over once there is memory again', async () => {
    const broker = startWithBudget();
    await use(broker, 960);
    await use(broker, 700);
    expect(broker.findings).toEqual([]);
    await (await broker.connect('new', KEEPING)).ping();
    expect(broker.events.filter(({ name }) => name === 'overload.left')).toHaveLength(3);
  });

  it('measures once a second', async () => {
    const broker = startWithBudget();
    await use(broker, 100);
    broker.gauge.memory = 999;
    for (let n = 0; n < 3; n++) await broker.advance(250);
    expect(broker.counters.memoryBytes).toBe(100);
    await broker.advance(250);
    expect(broker.counters.memoryBytes).toBe(999);
  });
});
