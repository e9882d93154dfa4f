// Everything that a store holds, as of one moment, and the files it is read from and written to.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type {
  OpenedSession,
  QueuedMessage,
  RawRecord,
  Store,
  StoreSnapshot,
} from '../../packages/broker/src/ports/store.ts';
import { openStore } from '../../packages/broker/src/store/open-store.ts';
import {
  checkRecord,
  createStoreFiles,
  readStoreFiles,
  recordKind,
} from '../../packages/broker/src/store/store-files.ts';
import { message, queued, session } from './store-fixtures.ts';

const directory = mkdtempSync(join(tmpdir(), 'motte-snapshot-'));
afterAll(() => rmSync(directory, { recursive: true }));

const open = (name: string): Promise<Store> =>
  openStore({ kind: 'level', lingerMs: 2 } as never, join(directory, name));

/** Puts so many messages into the queue of a session, and answers when they are committed. */
async function fill(store: Store, from: number, to: number): Promise<void> {
  store.stage({ kind: 'session', session: session('a') }, true);
  for (let seq = from; seq <= to; seq++) store.stage({ kind: 'queue', key: 'a', entry: queued(seq) }, true);
  while (!store.isCommitted(store.lastTicket)) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function readAll(snapshot: StoreSnapshot): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  for (let page = await snapshot.next(); page.length > 0; page = await snapshot.next()) records.push(...page);
  await snapshot.close();
  return records;
}

describe('a snapshot of the store on disk', () => {
  it('is of one moment: what was there is in it, what is committed or removed later is not felt', async () => {
    const store = await open('moment');
    await fill(store, 1, 3_000);
    const snapshot = store.snapshot() as StoreSnapshot;
    const first = await snapshot.next();
    await fill(store, 3_001, 3_100);
    for (let seq = 1; seq <= 3_000; seq++) store.stage({ kind: 'dequeue', key: 'a', seq }, true);
    await fill(store, 3_101, 3_101);
    const records = [...first, ...(await readAll(snapshot))];
    expect(records.filter((record) => recordKind(record) === 'queued')).toHaveLength(3_000);
    expect(records.filter((record) => recordKind(record) === 'session')).toHaveLength(1);
    expect(records.map(checkRecord).filter((why) => why !== undefined)).toEqual([]);
    await store.close();
  });

  it('written into an empty directory is the same store', async () => {
    const store = await open('from');
    await fill(store, 1, 10);
    store.stage({ kind: 'retain', message: message('t', 'kept') }, true);
    await fill(store, 11, 12);
    const records = await readAll(store.snapshot() as StoreSnapshot);
    await store.close();
    const files = await createStoreFiles(join(directory, 'to'));
    await files.write(records);
    await files.close();
    const copy = await open('to');
    const sessions = await new Promise<readonly OpenedSession[]>((resolve) => copy.listSessions(resolve));
    expect(sessions).toMatchObject([{ session: { key: 'a' }, queuedMessages: 12, lastSeq: 12 }]);
    const queue = await new Promise<readonly QueuedMessage[]>((resolve) => copy.readQueue('a', 0, 20, resolve));
    expect(queue.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(copy.retainedCount).toBe(1);
    await copy.close();
  });

  it('that is read when the store is closed ends with a fault', async () => {
    const store = await open('closed');
    await fill(store, 1, 5_000);
    const snapshot = store.snapshot() as StoreSnapshot;
    await snapshot.next();
    await store.close();
    await expect(readAll(snapshot)).rejects.toThrow();
  });

  it('a record that was changed, or stands under another key, is not taken for what was written', async () => {
    const store = await open('changed');
    await fill(store, 1, 2);
    const records = await readAll(store.snapshot() as StoreSnapshot);
    await store.close();
    const [[key, value], [otherKey]] = records.filter((one) => recordKind(one) === 'queued') as [RawRecord, RawRecord];
    expect(checkRecord([key, value])).toBeUndefined();
    expect(checkRecord([otherKey, value])).toBe('its checksum is wrong');
    expect(checkRecord([key, value.slice(0, 3)])).toBe('it has 3 bytes');
    for (let at = 0; at < value.length; at++) {
      const changed = value.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(checkRecord([key, changed]), `byte ${at}`).toBeDefined();
    }
  });
});

describe('the files of a stopped store', () => {
  it('are read as they are', async () => {
    const store = await open('stopped');
    await fill(store, 1, 10);
    const records = await readAll(store.snapshot() as StoreSnapshot);
    await store.close();
    const files = (await readStoreFiles(join(directory, 'stopped'))) as StoreSnapshot;
    expect(await readAll(files)).toEqual(records);
  });

  it('where there are none, none are made', async () => {
    mkdirSync(join(directory, 'none'));
    expect(await readStoreFiles(join(directory, 'none'))).toBeUndefined();
    expect(readdirSync(join(directory, 'none'))).toEqual([]);
  });
});

it('a store in memory has no snapshot: nothing of it outlives the process', async () => {
  const store = await openStore({ kind: 'memory', lingerMs: 2 } as never, '');
  expect(store.snapshot()).toBeUndefined();
  await store.close();
});
