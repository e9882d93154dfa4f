// While the disk takes nothing, nothing may pile up in memory for it, however long that is; and nothing is lost that was promised.

import { expect, it } from 'vitest';
import { startTestBroker, type TestBroker, type TestBrokerOptions, will } from '../../../../test/harness/index.ts';
import { TornDisk, TornEngine } from '../../../../test/sim/torn-engine.ts';
import { openLevelStore } from '../store/level/open.ts';

/** Times that each of them comes back. */
const TIMES = 100;

/** The most that may wait: what the test has promised before, and a record of each kind. */
const WAITING_BYTES_MAX = 2_048;

async function start(limits: NonNullable<TestBrokerOptions['limits']>) {
  const disk = new TornDisk();
  const retries: (() => void)[] = [];
  const store = await openLevelStore(new TornEngine(disk, { defer: setImmediate, oneIn: () => false }), {
    ...{ lingerMs: 5, defer: setImmediate, nowMs: Date.now },
    after: (ms, run) => void (ms < 1_000 ? setImmediate(run) : retries.push(run)),
  });
  const broker = startTestBroker({ limits, store });
  const publisher = await broker.connect('p', { properties: { sessionExpiryInterval: 600 } });
  const fail = async (): Promise<void> => {
    disk.fault = new Error('input/output error');
    // Whoever waits when the disk says no is ended.
    (await broker.connect('first')).publish('other', 'x', { qos: 1, retain: true });
    await expect.poll(() => store.failing).toBeDefined();
  };
  const recover = async (): Promise<void> => {
    disk.fault = undefined;
    for (const run of retries.splice(0)) run();
    await expect.poll(() => store.failing === undefined && store.isCommitted(store.lastTicket)).toBe(true);
  };
  return { broker, publisher, store, fail, recover };
}

/** A guest whose connection breaks, with a will to be retained. */
async function breakOff(broker: TestBroker, topic: string, payload: string): Promise<void> {
  const guest = await broker.connect('guest', { will: will(topic, payload, { qos: 1, retain: true }) });
  await guest.cut();
}

it('expired messages are neither looked for nor met at the cost of memory', async () => {
  const { broker, publisher, store, fail, recover } = await start({ retainedMessagesMax: 100 });
  for (let n = 0; n < 60; n++) {
    publisher.publish(`t/${n}`, 'x', { qos: 1, retain: true, properties: { messageExpiryInterval: 5 } });
    await publisher.receive('puback');
  }
  await fail();
  await broker.advance(10_000);
  const reader = await broker.connect('reader');
  for (let n = 0; n < TIMES; n++) {
    await broker.advance(1_000);
    await reader.subscribe('t/#');
    await reader.expectNothing();
  }
  expect(store.stagedBytes).toBeLessThan(WAITING_BYTES_MAX);
  await recover();
  await broker.advance(1_000);
  expect(store.retainedCount).toBe(1);
});

it('of wills that are retained the last one of a topic waits, and what PUBREL let go is there as well', async () => {
  const { broker, publisher, store, fail, recover } = await start({});
  for (const packetId of [901, 902]) {
    publisher.publish(`kept/${packetId}`, 'released', { qos: 2, packetId, retain: true });
    await publisher.receive('pubrec');
  }
  await fail();
  await breakOff(broker, 'kept/901', 'before');
  publisher.ack('pubrel', 901);
  for (let n = 0; n < TIMES; n++) await breakOff(broker, 'state', String(n));
  publisher.ack('pubrel', 902);
  await publisher.expectNothing();
  for (let n = 0; n < TIMES; n++) await breakOff(broker, 'kept/902', String(n));
  expect(store.stagedBytes).toBeLessThan(WAITING_BYTES_MAX);
  await recover();
  const reader = await broker.connect('reader');
  const retained = async (topic: string) => {
    await reader.subscribe(topic);
    return reader.takeMessages(1);
  };
  expect(await retained('kept/901')).toEqual(['released']);
  expect(await retained('state')).toEqual([String(TIMES - 1)]);
  expect(await retained('kept/902')).toEqual([String(TIMES - 1)]);
  expect(store.retainedCount).toBe(4);
});

it('wills of ever new topics are retained up to limits.stagedBytesMax, and delivered after that', async () => {
  const stagedBytesMax = 4_096;
  const { broker, store, fail, recover } = await start({ stagedBytesMax });
  const reader = await broker.connect('reader');
  await reader.subscribe({ filter: 'state/#', qos: 0 });
  await fail();
  for (let n = 0; n < TIMES; n++) await breakOff(broker, `state/${n}`, 'x'.repeat(100));
  expect((await reader.takeMessages(TIMES)).length).toBe(TIMES);
  expect(store.stagedBytes).toBeLessThan(stagedBytesMax + 512);
  expect(broker.events.filter(({ name }) => name === 'session.dropped-message').length).toBeGreaterThan(0);
  await recover();
});

it('whoever is ended for it is told of to the operator, with the reason', async () => {
  const { broker, fail, recover } = await start({});
  await fail();
  const old = await broker.connect('old', { version: 4 });
  old.publish('t', 'x', { qos: 1, retain: true });
  await old.expectClosed();
  const refused = broker.events.flatMap((event) => (event.name === 'peer.refused' ? [event] : []));
  expect(refused).toMatchObject([
    { clientId: 'first', layer: 'broker', because: 'input/output error', seen: 'DISCONNECT 0x80' },
    { clientId: 'old', layer: 'broker', because: expect.stringContaining('nothing can be stored now') },
  ]);
  await recover();
});
