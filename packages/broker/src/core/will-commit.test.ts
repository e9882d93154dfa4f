// What a crash may come between when a will goes out: copies of it may linger for whoever has it already, and the will itself must
// not be gone from the disk before they are there.

import { describe, it } from 'vitest';
import { FakeClock, settle, TestBroker, will } from '../../../../test/harness/index.ts';
import { TornDisk, TornEngine } from '../../../../test/sim/torn-engine.ts';
import type { Store } from '../ports/store.ts';
import { openLevelStore } from '../store/level/open.ts';

const KEPT = { sessionExpiryInterval: 3600 };

/** A store on this disk in which whatever may linger lingers for ever, and how to lose its power. */
async function open(disk: TornDisk, clock: FakeClock): Promise<{ store: Store; crash: () => void }> {
  let isDead = false;
  const defer = (run: () => void): void => void setImmediate(() => isDead || run());
  const engine = new TornEngine(disk, { defer, oneIn: () => false });
  const options = { lingerMs: 5, defer, after: () => undefined, nowMs: () => clock.nowMs() };
  const store = await openLevelStore(engine, options);
  const crash = (): void => {
    isDead = true;
    engine.crash();
  };
  return { store, crash };
}

describe('a will', () => {
  it.each([0, 3600])(
    'of a session kept for %i s is owed after a crash to who had it and did not acknowledge it',
    async (expiry) => {
      const disk = new TornDisk();
      const clock = new FakeClock();
      const { store, crash } = await open(disk, clock);
      const before = new TestBroker({ store, clock });
      const back = { cleanStart: false, properties: KEPT };
      const watcher = await before.connect('watcher', back);
      await watcher.subscribe({ filter: 'wills/#', qos: 1 });
      await (await before.connect('c', back)).disconnect();
      const properties = { sessionExpiryInterval: expiry };
      const said = { cleanStart: false, properties, will: will('wills/c', 'gone', { qos: 1 }) };
      const client = await before.connect('c', said);
      await settle();
      await client.cut();
      await watcher.expectMessage('wills/c', 'gone');
      await settle();
      crash();
      before.abandon();

      const after = new TestBroker({ store: (await open(disk, clock)).store, clock });
      await after.restore();
      await settle();
      const again = await after.connect('watcher', back);
      await again.expectMessage('wills/c', 'gone');
      await again.expectNothing();
      await after.stop();
    },
  );
});
