import { parseTopicFilter, parseTopicName } from '@motte/wire';
import { expect, it } from 'vitest';
import { message } from '../../../../../test/contract/store-fixtures.ts';
import { TornDisk, TornEngine } from '../../../../../test/sim/torn-engine.ts';
import type { Message } from '../../ports/message.ts';
import type { Cursor } from '../../ports/store.ts';
import { KEY } from './keys.ts';
import type { LevelStore } from './level-store.ts';
import { openLevelStore } from './open.ts';

class CountingEngine extends TornEngine {
  /** Keys of retained messages that were asked for. */
  readonly asked: string[] = [];

  override get(key: Uint8Array): Uint8Array | undefined {
    if (key[0] === KEY.retained) this.asked.push(Buffer.from(key.subarray(1)).toString('latin1'));
    return super.get(key);
  }
}

/** On a disk that can be told to take nothing; what is to happen after a time happens when the test says so. */
async function opened() {
  const disk = new TornDisk();
  const later: (() => void)[] = [];
  const engine = new CountingEngine(disk, { defer: setImmediate, oneIn: () => false });
  const store = await openLevelStore(engine, {
    ...{ lingerMs: 5, defer: setImmediate, nowMs: () => 0 },
    after: (_ms: number, run: () => void) => void later.push(run),
  });
  return { store, disk, later, asked: engine.asked };
}

/** Everything that a filter matches, page by page. */
async function scanned(store: LevelStore, filter: string, max: number): Promise<(readonly Message[])[]> {
  const pages: (readonly Message[])[] = [];
  let cursor: Cursor;
  do {
    const { messages, next } = await new Promise<{ messages: readonly Message[]; next: Cursor }>((resolve, reject) => {
      store.matchRetained(parseTopicFilter(filter), cursor, max, (messages, next, fault) => {
        if (fault === undefined) resolve({ messages, next });
        else reject(fault);
      });
    });
    if (messages.length > 0) pages.push(messages);
    cursor = next;
  } while (cursor !== undefined);
  return pages;
}

async function topics(store: LevelStore): Promise<string[]> {
  return (await scanned(store, '+', 10)).flat().map(({ topic }) => topic);
}

it('a scan does not wait for the time after which what is not urgent is written by itself', async () => {
  const { store, later } = await opened();
  store.stage({ kind: 'retain', message: message('a') }, false);
  expect(await topics(store)).toEqual(['a']);
  expect(later).toHaveLength(1);
  await store.close();
});

it('while the disk takes nothing a scan has what is staged over what was committed', async () => {
  const { store, disk, later } = await opened();
  for (const topic of ['a', 'c', 'd', 'f']) store.stage({ kind: 'retain', message: message(topic, 'old') }, true);
  expect(await topics(store)).toEqual(['a', 'c', 'd', 'f']);
  disk.fault = new Error('no space left on device');
  store.stage({ kind: 'retain', message: message('b') }, true);
  // One that waits when the disk says no, and one that asks later.
  expect(await topics(store)).toEqual(['a', 'b', 'c', 'd', 'f']);
  expect(store.failing).toContain('no space left');
  store.stage({ kind: 'unretain', topic: parseTopicName('c') }, true);
  store.stage({ kind: 'retain', message: message('d', 'new') }, true);
  store.stage({ kind: 'retain', message: message('e/1') }, true);
  store.stage({ kind: 'retain', message: message('g', 'gone') }, true);
  store.stage({ kind: 'unretain', topic: parseTopicName('g') }, true);
  const pages = await scanned(store, '#', 2);
  expect(pages.map((page) => page.map(({ topic }) => topic))).toEqual([['a', 'b'], ['d', 'e/1'], ['f']]);
  expect(Buffer.from(pages[1]?.[0]?.payload ?? []).toString()).toBe('new');
  expect(await topics(store)).toEqual(['a', 'b', 'd', 'f']);
  expect((await scanned(store, 'e/1', 2)).flat()).toHaveLength(1);
  expect((await scanned(store, 'c', 2)).flat()).toEqual([]);
  disk.fault = undefined;
  for (const run of later.splice(0)) run();
  await expect.poll(() => store.failing).toBeUndefined();
  expect((await scanned(store, '#', 100)).flat().map(({ topic }) => topic)).toEqual(['a', 'b', 'd', 'e/1', 'f']);
  await store.close();
});

it('what stands at a topic is read once for its check and its commit, and not at all while something of it waits', async () => {
  const { store, asked } = await opened();
  const publish = (topic: string, payload: string): void => {
    store.retainedAt(parseTopicName(topic));
    store.stage({ kind: 'retain', message: message(topic, payload) }, true);
  };
  publish('a', 'one');
  await expect.poll(() => store.isCommitted(store.lastTicket)).toBe(true);
  expect(asked).toEqual(['a']);
  for (const payload of ['two', 'three', 'four']) publish('a', payload);
  publish('b', 'one');
  await expect.poll(() => store.isCommitted(store.lastTicket)).toBe(true);
  expect(asked).toEqual(['a', 'a', 'b']);
  expect([store.retainedCount, store.retainedBytes]).toEqual([2, 'afour'.length + 'bone'.length]);
  // What was read last is not taken for what was committed since.
  store.retainedAt(parseTopicName('a'));
  store.stage({ kind: 'unretain', topic: parseTopicName('a') }, true);
  await expect.poll(() => store.isCommitted(store.lastTicket)).toBe(true);
  expect(store.retainedAt(parseTopicName('a'))).toBeUndefined();
  expect([store.retainedCount, store.retainedBytes]).toEqual([1, 'bone'.length]);
  await store.close();
});

it('what is staged while the disk takes nothing is counted right once it does', async () => {
  const { store, disk, later } = await opened();
  const old = { ...message('a', 'expires'), expiresAtMs: 1000 };
  store.stage({ kind: 'retain', message: old }, true);
  store.stage({ kind: 'retain', message: { ...old, ...message('b', 'x') } }, true);
  await expect.poll(() => store.isCommitted(store.lastTicket)).toBe(true);
  disk.fault = new Error('no space left on device');
  store.stage({ kind: 'retain', message: message('c', 'fails') }, true);
  await expect.poll(() => store.failing).toContain('no space left');
  // Nothing can be read now: of neither topic is known what stands there.
  store.stage({ kind: 'unretain', topic: parseTopicName('a'), expiredAtMs: 1000 }, true);
  store.stage({ kind: 'retain', message: message('a', 'new') }, true);
  store.stage({ kind: 'retain', message: message('b', 'longer') }, true);
  store.stage({ kind: 'retain', message: message('b', 'long') }, true);
  disk.fault = undefined;
  for (const run of later.splice(0)) run();
  await expect.poll(() => store.isCommitted(store.lastTicket)).toBe(true);
  const bytes = ['anew', 'blong', 'cfails'].join('').length;
  expect([store.retainedCount, store.retainedBytes]).toEqual([3, bytes]);
  expect(store.retainedOf('owner')).toEqual({ messages: 3, bytes });
  expect((await topics(store)).sort()).toEqual(['a', 'b', 'c']);
  await store.close();
});
