// The records in files that were found whole, in the order of their keys, the newest of each: what LevelDB would give, without the
// price of its binding for every single one. Read while LevelDB is not open, since it moves records and removes files.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DamageFault, type Entry, type Records, type Walk } from '../engine.ts';
import { entriesOfLog } from './batch-records.ts';
import type { Inspection } from './inspect.ts';
import { type Cursor, compareBytes, compareCursors, ListCursor, TableCursor } from './record-cursor.ts';
import { soundBlocks, type TableEntry } from './table-file.ts';

/** What stands in the files of an inspection that found no damage. */
export class StoredRecords implements Records {
  readonly #path: string;
  readonly #inspection: Inspection;
  #logged: Promise<readonly TableEntry[]> | undefined = undefined;

  constructor(path: string, inspection: Inspection) {
    this.#path = path;
    this.#inspection = inspection;
  }

  scan(from: Uint8Array, to: Uint8Array): Walk {
    return new Merge(this.#tablesIn(from, to), from, to, () => this.#logsIn(from, to));
  }

  #tablesIn(from: Uint8Array, to: Uint8Array): PendingTable[] {
    const { used, tables } = this.#inspection;
    return used
      .flatMap(({ kind, name, number }) => {
        const listed = kind === 'table' ? tables.get(number) : undefined;
        if (listed === undefined) return [];
        const [first, last] = [withoutSuffix(listed.first), withoutSuffix(listed.last)];
        if (compareBytes(last, last.length, from, from.length) < 0) return [];
        if (compareBytes(first, first.length, to, to.length) >= 0) return [];
        return [{ first, open: () => this.#openTable(name) }];
      })
      .sort((a, b) => compareBytes(a.first, a.first.length, b.first, b.first.length));
  }

  async #openTable(name: string): Promise<TableCursor> {
    const file = await readFile(join(this.#path, name));
    const blocks = soundBlocks(file);
    // It was whole a moment ago.
    if (blocks === undefined) throw new DamageFault(`${name}: it is damaged`);
    return new TableCursor(file, blocks);
  }

  async #logsIn(from: Uint8Array, to: Uint8Array): Promise<ListCursor> {
    this.#logged ??= this.#readLogs();
    const logged = await this.#logged;
    return new ListCursor(
      logged.filter(
        ({ key }) =>
          compareBytes(key, key.length, from, from.length) >= 0 && compareBytes(key, key.length, to, to.length) < 0,
      ),
    );
  }

  async #readLogs(): Promise<readonly TableEntry[]> {
    const entries: TableEntry[] = [];
    for (const { kind, name } of this.#inspection.used) {
      if (kind !== 'log') continue;
      for (const entry of entriesOfLog(await readFile(join(this.#path, name)))) entries.push(entry);
    }
    return entries.sort((a, b) => compareBytes(a.key, a.key.length, b.key, b.key.length) || b.sequence - a.sequence);
  }
}

interface PendingTable {
  readonly first: Uint8Array;
  readonly open: () => Promise<TableCursor>;
}

/** Walks all cursors as one. A table is opened when the walk comes to its first key, and forgotten behind its last. */
class Merge implements Walk {
  readonly #from: Uint8Array;
  readonly #to: Uint8Array;
  readonly #pending: PendingTable[];
  readonly #openLogs: () => Promise<Cursor>;
  #logsAreOpen = false;
  /** What they stand at is sorted: the first has the next entry. */
  readonly #cursors: Cursor[] = [];
  /** Older versions of it follow. */
  #last: Uint8Array | undefined = undefined;

  constructor(pending: PendingTable[], from: Uint8Array, to: Uint8Array, openLogs: () => Promise<Cursor>) {
    this.#pending = pending;
    this.#from = from;
    this.#to = to;
    this.#openLogs = openLogs;
  }

  async next(max: number): Promise<readonly Entry[]> {
    if (!this.#logsAreOpen) {
      this.#logsAreOpen = true;
      this.#enter(await this.#openLogs());
    }
    const page: Entry[] = [];
    while (page.length < max) {
      while (this.#isPendingNext()) this.#enter(await (this.#pending.shift() as PendingTable).open());
      const cursor = this.#cursors[0];
      if (cursor === undefined) break;
      const { key, keyLength } = cursor;
      if (compareBytes(key, keyLength, this.#to, this.#to.length) >= 0) break;
      const last = this.#last;
      if (last === undefined || compareBytes(key, keyLength, last, last.length) !== 0) {
        this.#last = key.slice(0, keyLength);
        if (!cursor.isRemoval) page.push([this.#last, cursor.value()]);
      }
      this.#advance(cursor);
    }
    return page;
  }

  close(): Promise<void> {
    this.#pending.length = 0;
    this.#cursors.length = 0;
    return Promise.resolve();
  }

  #isPendingNext(): boolean {
    const table = this.#pending[0];
    const cursor = this.#cursors[0];
    if (table === undefined) return false;
    return cursor === undefined || compareBytes(table.first, table.first.length, cursor.key, cursor.keyLength) <= 0;
  }

  #enter(cursor: Cursor): void {
    if (!cursor.seek(this.#from)) return;
    this.#cursors.unshift(cursor);
    this.#sift();
  }

  #advance(cursor: Cursor): void {
    if (cursor.advance()) this.#sift();
    else this.#cursors.shift();
  }

  /** The first one goes where it belongs. */
  #sift(): void {
    const cursors = this.#cursors;
    for (let at = 0; at + 1 < cursors.length; at++) {
      const [one, other] = [cursors[at] as Cursor, cursors[at + 1] as Cursor];
      if (compareCursors(one, other) <= 0) return;
      cursors[at] = other;
      cursors[at + 1] = one;
    }
  }
}

/** LevelDB puts a sequence number and a kind behind every key. */
function withoutSuffix(key: Uint8Array): Uint8Array {
  return key.subarray(0, key.length - 8);
}
