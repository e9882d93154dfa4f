// The retained messages of a store: how many there are and whose, and what of them is on its way to the database. A scan reads
// the database, and whoever subscribes between a message that was routed and its commit would get it neither live nor from
// there: so a scan waits for what was staged before it, and while the disk takes nothing it gives what is staged as well.

import type { TopicFilter, TopicName } from '@motte/wire';
import type { RetainedFacts, RetainedTotals } from '../../ports/store.ts';
import type { Batch } from './batch.ts';
import type { Commits } from './commits.ts';
import type { Engine } from './engine.ts';
import { retainedKey } from './keys.ts';
import type { Unseal } from './load.ts';
import { decodeMessage } from './records.ts';
import { factsOf, RetainedAhead, type RetainedBefore, type RetainedRecord, UNREAD } from './retained-ahead.ts';
import { pageWith, type RetainedPage, retainedPage } from './retained-scan.ts';
import { type KnownTotals, NO_TOTALS, plus } from './retained-totals.ts';

export interface RetainedParts {
  readonly engine: Engine;
  readonly unseal: Unseal;
  /** The content of a record that is there; undefined if there is none, or none that can be read. */
  readonly read: (key: Uint8Array) => Uint8Array | undefined;
  readonly commits: Commits;
}

export class RetainedMessages {
  readonly #parts: RetainedParts;
  /** What is staged on top of that. */
  readonly #ahead = new RetainedAhead((topic) => this.#read(topic));
  /** As of the last commit. */
  totals: RetainedTotals;
  readonly #owners: Map<string, RetainedTotals>;
  #staged = 0;
  #written = 0;
  /** In the order in which they began to wait: of what each waits for, the number of the last. */
  readonly #waiting: { readonly until: number; readonly goOn: () => void }[] = [];

  constructor(known: KnownTotals, parts: RetainedParts) {
    this.totals = known.totals;
    this.#owners = known.owners;
    this.#parts = parts;
    // Nobody waits until the disk takes it.
    parts.commits.onCommitted((_, fault) => {
      if (fault !== undefined) this.#release(Number.POSITIVE_INFINITY);
    });
  }

  /** Of an identity, as of the last commit. */
  of(owner: string): RetainedTotals {
    return this.#owners.get(owner) ?? NO_TOTALS;
  }

  /** With what is staged. */
  get allTotals(): RetainedTotals {
    const { messages, bytes } = this.#ahead.totals;
    return plus(this.totals, messages, bytes);
  }

  /** Of an identity, with what is staged. */
  allOf(owner: string): RetainedTotals {
    const { messages, bytes } = this.#ahead.of(owner);
    return plus(this.of(owner), messages, bytes);
  }

  /** What stands at the topic, with what is staged; undefined also if it cannot be read now. */
  at(topic: TopicName): RetainedFacts | undefined {
    const facts = this.#ahead.at(topic);
    return facts === UNREAD ? undefined : facts;
  }

  /** A record of one is staged; gives what it finds. They are written in that order: none is struck, and none lingers. */
  stage(record: RetainedRecord): RetainedBefore {
    this.#staged += 1;
    return this.#ahead.stage(record);
  }

  /** The one that was staged last took the place of the one before it: both are written as one. */
  replaced(record: RetainedRecord): void {
    this.#staged -= 1;
    this.#ahead.replaced(record);
  }

  written({ totals, owners, retained }: Batch): void {
    this.totals = totals;
    for (const [owner, own] of owners) {
      if (own.messages === 0) this.#owners.delete(owner);
      else this.#owners.set(owner, own);
    }
    this.#ahead.written(retained);
    this.#written += retained.length;
    this.#release(this.#written);
  }

  async page(filter: TopicFilter, from: string | undefined, max: number): Promise<RetainedPage> {
    const { engine, unseal, commits } = this.#parts;
    if (this.#written < this.#staged && commits.fault === undefined) {
      const until = this.#staged;
      commits.hasten();
      await new Promise<void>((goOn) => this.#waiting.push({ until, goOn }));
    }
    // Of the same moment as what the scan sees. Few: what a disk refuses is not taken from clients either.
    const changes = commits.fault === undefined ? undefined : this.#ahead.changes(filter);
    const page = await retainedPage(engine, unseal, filter, from, max);
    return changes === undefined ? page : pageWith(changes, page, from, max);
  }

  #read(topic: TopicName): RetainedBefore {
    const { commits, read } = this.#parts;
    // The database is closed and opened until it takes writes again.
    if (commits.fault !== undefined) return UNREAD;
    const content = read(retainedKey(UTF8.encode(topic)));
    return content === undefined ? undefined : factsOf(decodeMessage(content));
  }

  #release(written: number): void {
    while ((this.#waiting[0]?.until ?? Number.NaN) <= written) this.#waiting.shift()?.goOn();
  }
}

const UTF8 = new TextEncoder();
