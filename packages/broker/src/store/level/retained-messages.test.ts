import { parseTopicFilter } from '@motte/wire';
import { expect, it } from 'vitest';
import { message } from '../../../../../test/contract/store-fixtures.ts';
import { TornDisk, TornEngine } from '../../../../../test/sim/torn-engine.ts';
import type { LevelStore } from './level-store.ts';
import { openLevelStore } from './open.ts';

/** On a disk that can be told to take nothing; what is to happen after a time happens when the test says so. */
async function opened() {
  const disk = new TornDisk();
  const later: (() => void)[] = [];
  const store = await openLevelStore(new TornEngine(disk, { defer: setImmediate, oneIn: () => false }), {
    ...{ lingerMs: 5, defer: setImmediate, nowMs: () => 0 },
    after: (_ms: number, run: () => void) => void later.push(run),
  });
  return { store, disk, later };
}

function topics(store: LevelStore): Promise<string[]> {
  return new Promise((resolve, reject) => {
    store.matchRetained(parseTopicFilter('+'), undefined, 10, (messages, _next, fault) => {
      if (fault === undefined) resolve(messages.map(({ topic }) => topic));
      else reject(fault);
    });
  });
}

it('a scan does not wait for the time after which what is not urgent is written by itself', async () => {
  const { store, later } = await opened();
  store.stage({ kind: 'retain', message: message('a') }, false);
  expect(await topics(store)).toEqual(['a']);
  expect(later).toHaveLength(1);
  await store.close();
});

it('while the disk takes nothing a scan has what was committed, and after that what was staged too', async () => {
  const { store, disk, later } = await opened();
  store.stage({ kind: 'retain', message: message('a') }, true);
  expect(await topics(store)).toEqual(['a']);
  disk.fault = new Error('no space left on device');
  store.stage({ kind: 'retain', message: message('b') }, true);
  // One that waits when the disk says no, and one that asks later.
  expect(await topics(store)).toEqual(['a']);
  expect(store.failing).toContain('no space left');
  expect(await topics(store)).toEqual(['a']);
  disk.fault = undefined;
  for (const run of later.splice(0)) run();
  await expect.poll(() => store.failing).toBeUndefined();
  expect((await topics(store)).sort()).toEqual(['a', 'b']);
  await store.close();
});
