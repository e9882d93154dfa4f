// The retained messages of a store: how many there are and whose, and what of them is on its way to the database. A scan reads
// the database, and a subscriber who came between a message that was routed and its commit would get it from neither: so a
// scan waits for what was staged before it.

import type { TopicFilter } from '@motte/wire';
import type { RetainedTotals } from '../../ports/store.ts';
import type { Batch } from './batch.ts';
import type { Commits } from './commits.ts';
import type { Engine } from './engine.ts';
import type { Unseal } from './load.ts';
import { type RetainedPage, retainedPage } from './retained-scan.ts';
import { type KnownTotals, NO_TOTALS } from './retained-totals.ts';

export interface RetainedParts {
  readonly engine: Engine;
  readonly unseal: Unseal;
  readonly commits: Commits;
}

export class RetainedMessages {
  readonly #parts: RetainedParts;
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
    // What is not written was not acknowledged either: nobody waits until the disk takes it.
    parts.commits.onCommitted((_, fault) => {
      if (fault !== undefined) this.#release(Number.POSITIVE_INFINITY);
    });
  }

  of(owner: string): RetainedTotals {
    return this.#owners.get(owner) ?? NO_TOTALS;
  }

  /** A record of one was staged. They are written in that order: none is struck, and none lingers. */
  staged(): void {
    this.#staged += 1;
  }

  written({ totals, owners, retained }: Batch): void {
    this.totals = totals;
    for (const [owner, own] of owners) {
      if (own.messages === 0) this.#owners.delete(owner);
      else this.#owners.set(owner, own);
    }
    this.#written += retained;
    this.#release(this.#written);
  }

  async page(filter: TopicFilter, from: string | undefined, max: number): Promise<RetainedPage> {
    const { engine, unseal, commits } = this.#parts;
    if (this.#written < this.#staged && commits.fault === undefined) {
      const until = this.#staged;
      commits.hasten();
      await new Promise<void>((goOn) => this.#waiting.push({ until, goOn }));
    }
    return retainedPage(engine, unseal, filter, from, max);
  }

  #release(written: number): void {
    while ((this.#waiting[0]?.until ?? Number.NaN) <= written) this.#waiting.shift()?.goOn();
  }
}
