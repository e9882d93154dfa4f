import { expect, it } from 'vitest';
import { startTestBroker } from '../../../../test/harness/index.ts';
import { TornDisk, TornEngine } from '../../../../test/sim/torn-engine.ts';
import { openLevelStore } from '../store/level/open.ts';

/** Publishes one after the other on topics that are new, so that one is always being written; the codes of their PUBACKs. */
async function publishWithoutPause(limits: { retainedMessagesMax?: number }, quota: { retainedMessages?: number }) {
  const held: (() => void)[] = [];
  let holds = false;
  const engine = new TornEngine(new TornDisk(), {
    defer: (run) => (holds ? held.push(run) : setImmediate(run)),
    oneIn: () => false,
  });
  const after = (_ms: number, run: () => void) => void setImmediate(run);
  const store = await openLevelStore(engine, { lingerMs: 5, defer: setImmediate, after, nowMs: Date.now });
  const broker = startTestBroker({ limits, store });
  broker.access.bound(quota);
  const publisher = await broker.connect('p');
  holds = true;
  const codes: number[] = [];
  for (let n = 0; n < 20; n++) {
    publisher.publish(`t/${n}`, 'x', { qos: 1, retain: true });
    await publisher.expectNothing();
    if (n === 0) continue;
    held.shift()?.();
    codes.push((await publisher.receive('puback')).reasonCode);
  }
  holds = false;
  held.shift()?.();
  codes.push((await publisher.receive('puback')).reasonCode);
  return codes.map((code) => (code === 0x10 ? 'kept' : code));
}

const ALL = Array.from({ length: 20 }, () => 'kept');

it('a limit of retained messages counts each once, however long they come without a pause', async () => {
  expect(await publishWithoutPause({ retainedMessagesMax: 21 }, {})).toEqual(ALL);
});

it('so does a quota of them', async () => {
  expect(await publishWithoutPause({}, { retainedMessages: 21 })).toEqual(ALL);
});
