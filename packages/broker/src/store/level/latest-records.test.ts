import { parseTopicFilter } from '@motte/wire';
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

it('so it is with what is retained: counted, found and written as one, and never before what must come first', async () => {
  const later: (() => void)[] = [];
  const disk = new TornDisk();
  const store = await openLevelStore(new TornEngine(disk, { defer: setImmediate, oneIn: () => false }), {
    ...{ lingerMs: 5, defer: setImmediate, nowMs: () => 0 },
    after: (_ms: number, run: () => void) => void later.push(run),
  });
  const retain = (topic: string, payload: string) =>
    store.stage({ kind: 'retain', message: message(topic, payload) }, true);
  const found = () =>
    new Promise<string[]>((resolve) =>
      store.matchRetained(parseTopicFilter('#'), undefined, 10, (messages) =>
        resolve(messages.map(({ topic, payload }) => `${topic} ${new TextDecoder().decode(payload)}`)),
      ),
    );
  retain('a', 'old');
  retain('d', 'old');
  await expect.poll(() => store.isCommitted(store.lastTicket)).toBe(true);
  disk.fault = new Error('input/output error');
  retain('other', 'x');
  await expect.poll(() => store.failing).toBeDefined();
  retain('a', '0');
  const { stagedBytes } = store;
  for (let n = 1; n < 10; n++) retain('a', String(n));
  expect(store.stagedBytes).toBe(stagedBytes);
  // One that belongs to others stays with them, and what comes later behind it; so does one that says something of what is there.
  retain('b', '0');
  store.atomically(() => retain('b', '1'));
  retain('b', '2');
  retain('c', '0');
  store.stage({ kind: 'unretain', topic: message('c').topic, expiredAtMs: 1 }, false);
  store.stage({ kind: 'unretain', topic: message('d').topic }, true);
  retain('e', '0');
  const ticket = store.stage({ kind: 'unretain', topic: message('e').topic }, true);
  const all = ['a 9', 'b 2', 'c 0', 'other x'];
  expect(await found()).toEqual(all);
  disk.fault = undefined;
  for (const run of later.splice(0)) run();
  await expect.poll(() => store.isCommitted(ticket)).toBe(true);
  expect([await found(), store.retainedCount]).toEqual([all, all.length]);
  retain('a', 'new');
  expect(await found()).toEqual(['a new', ...all.slice(1)]);
  await store.close();
});
