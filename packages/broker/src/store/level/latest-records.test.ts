import { expect, it } from 'vitest';
import { message, session } from '../../../../../test/contract/store-fixtures.ts';
import { TornDisk, TornEngine } from '../../../../../test/sim/torn-engine.ts';
import type { OpenedSession } from '../../ports/store.ts';
import { openLevelStore } from './open.ts';

/** Times that each of them comes back. */
const TIMES = 200;

it('nothing piles up while the disk takes nothing, and after that the latest holds', async () => {
  const disk = new TornDisk();
  const later: (() => void)[] = [];
  const store = await openLevelStore(new TornEngine(disk, { defer: setImmediate, oneIn: () => false }), {
    ...{ lingerMs: 5, defer: setImmediate, nowMs: () => 0 },
    after: (_ms: number, run: () => void) => void later.push(run),
  });
  store.stage({ kind: 'session', session: session('a') }, true);
  await expect.poll(() => store.isCommitted(store.lastTicket)).toBe(true);
  disk.fault = new Error('input/output error');
  store.stage({ kind: 'unretain', topic: message('other').topic }, true);
  await expect.poll(() => store.failing).toBeDefined();
  const come = (generation: number): number => {
    store.stage({ kind: 'session', session: { ...session('a'), generation } }, true);
    store.stage({ kind: 'will', key: 'a', will: { message: message('w'), delaySeconds: 5, expirySeconds: -1 } }, true);
    return store.stage({ kind: 'unwill', key: 'a' }, false);
  };
  come(2);
  const { stagedBytes } = store;
  for (let n = 0; n < TIMES; n++) come(3 + n);
  const ticket = come(1_000);
  expect(store.stagedBytes).toBe(stagedBytes);
  expect(store.isCommitted(ticket)).toBe(false);
  disk.fault = undefined;
  for (const run of later.splice(0)) run();
  await expect.poll(() => store.isCommitted(ticket)).toBe(true);
  const opened = await new Promise<OpenedSession | undefined>((resolve) => store.openSession('a', resolve));
  expect([opened?.session.generation, opened?.will]).toEqual([1_000, undefined]);
  await store.close();
});
