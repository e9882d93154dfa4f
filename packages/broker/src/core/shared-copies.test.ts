import { describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../../../../test/harness/index.ts';
import { TornDisk, TornEngine } from '../../../../test/sim/torn-engine.ts';
import { openLevelStore } from '../store/level/open.ts';

const KEPT = { sessionExpiryInterval: 600, receiveMaximum: 1 };
const JOBS = { filter: '$share/g/job', qos: 1 } as const;

/** A broker on a disk that is as slow as the test says. */
async function start() {
  const held: (() => void)[] = [];
  const disk = { holds: false, goOn: () => held.splice(0).forEach((run) => run()) };
  const engine = new TornEngine(new TornDisk(), {
    defer: (run) => (disk.holds ? held.push(run) : setImmediate(run)),
    oneIn: () => false,
  });
  const after = (_ms: number, run: () => void) => void setImmediate(run);
  const store = await openLevelStore(engine, { lingerMs: 5, defer: setImmediate, after, nowMs: Date.now });
  return { broker: startTestBroker({ store }), disk };
}

/** A member that takes one message at a time and was sent the first of three; then a second member joins. */
async function oweThree(broker: TestBroker) {
  const publisher = await broker.connect('p');
  const member = await broker.connect('m', { cleanStart: false, properties: KEPT });
  await member.subscribe(JOBS);
  for (const job of ['1', '2', '3']) await publisher.deliver('job', job);
  const { packetId } = await member.expectMessage('job', '1');
  const other = await broker.connect('o');
  await other.subscribe(JOBS);
  return { publisher, member, other, packetId };
}

describe('[4.8.2] what a member of a group is owed when its session ends goes to another one', () => {
  it('all of it, once', async () => {
    const { broker } = await start();
    const { member, other } = await oweThree(broker);
    await member.disconnect(0, { sessionExpiryInterval: 0 });
    expect((await other.takeMessages(3)).sort()).toEqual(['1', '2', '3']);
    await other.expectNothing();
  });

  it('without what it has just acknowledged', async () => {
    const { broker } = await start();
    const { member, other, packetId } = await oweThree(broker);
    member.send(
      { type: 'puback', packetId, reasonCode: 0, properties: {} },
      { type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } },
    );
    expect((await other.takeMessages(2)).sort()).toEqual(['2', '3']);
    await other.expectNothing();
  });

  it('and what is still on its way to the disk', async () => {
    const { broker, disk } = await start();
    const { publisher, member, other } = await oweThree(broker);
    await other.unsubscribe(JOBS.filter);
    disk.holds = true;
    // One is being written, and one waits for the next commit.
    for (const job of ['4', '5']) {
      publisher.publish('job', job, { qos: 1 });
      await publisher.expectNothing();
    }
    await other.subscribe(JOBS);
    await member.disconnect(0, { sessionExpiryInterval: 0 });
    disk.holds = false;
    disk.goOn();
    expect((await other.takeMessages(5)).sort()).toEqual(['1', '2', '3', '4', '5']);
    await other.expectNothing();
  });
});
