import { describe, expect, it } from 'vitest';
import { message } from '../../../../../test/contract/store-fixtures.ts';
import { TornDisk, TornEngine } from '../../../../../test/sim/torn-engine.ts';
import { KEY } from './keys.ts';
import { openLevelStore } from './open.ts';
import { TOTALS_KEY } from './retained-totals.ts';

const OPTIONS = { lingerMs: 0, defer: setImmediate, after: () => undefined, nowMs: () => 0 };
const OWNERS = ['ca:motte\na', 'password\nb'];

async function opened(disk: TornDisk) {
  const store = await openLevelStore(new TornEngine(disk, { defer: setImmediate, oneIn: () => false }), OPTIONS);
  return { store, totals: OWNERS.map((owner) => store.retainedOf(owner)) };
}

/** A disk with three messages of the first and one of the second. */
async function filled(): Promise<TornDisk> {
  const disk = new TornDisk();
  const { store } = await opened(disk);
  for (const [n, topic] of ['t', 'u', 'v', 'w'].entries()) {
    store.stage(
      { kind: 'retain', message: { ...message(topic, 'x'), owner: OWNERS[n === 3 ? 1 : 0] as string } },
      true,
    );
  }
  await store.close();
  return disk;
}

const RIGHT = [
  { messages: 3, bytes: 6 },
  { messages: 1, bytes: 2 },
];

const kindOf = (name: string): number => name.charCodeAt(0);

describe('what is retained of each identity', () => {
  it('is known after a start without looking at all of it', async () => {
    const disk = await filled();
    const { store, totals } = await opened(disk);
    expect(totals).toEqual(RIGHT);
    await store.close();
  });

  it.each<[string, (disk: TornDisk) => void]>([
    [
      'of a database from before it was counted',
      ({ entries }) => {
        for (const name of entries.keys()) if (kindOf(name) === KEY.owner) entries.delete(name);
      },
    ],
    ['whose sum is gone', ({ entries }) => void entries.delete(Buffer.from(TOTALS_KEY).toString('latin1'))],
    [
      'that lost one of these notes',
      ({ entries }) => {
        for (const name of entries.keys()) if (kindOf(name) === KEY.owner && name.endsWith('b')) entries.delete(name);
      },
    ],
  ])('is counted anew, and noted, %s', async (_what, harm) => {
    const disk = await filled();
    harm(disk);
    const { store, totals } = await opened(disk);
    expect(totals).toEqual(RIGHT);
    expect([store.retainedCount, store.retainedBytes]).toEqual([4, 8]);
    await store.close();
    const syncs = disk.syncs;
    const again = await opened(disk);
    expect(again.totals).toEqual(RIGHT);
    // The number of the opening alone was written: nothing had to be counted.
    expect(disk.syncs - syncs).toBe(1);
    await again.store.close();
  });
});
