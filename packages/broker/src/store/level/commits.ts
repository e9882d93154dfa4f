// Group commits: what is staged is written in batches, one at a time, each durable before anybody is told. Owns tickets, lingering
// and what happens when the disk does not take a batch; what stands in one is the owner's to build.
//
// A commit that fails is not given up: nobody knows what of it reached the disk, so the database is opened anew and the same
// writes are tried until they succeed. Whoever waited is told meanwhile.

import type { StoreRecord, Ticket } from '../../ports/store.ts';
import type { Batch } from './batch.ts';
import type { Engine } from './engine.ts';
import { LatestRecords } from './latest-records.ts';
import { type Staged, Staging } from './staging.ts';

export interface CommitOptions {
  /** How long a record may wait to be struck out. */
  readonly lingerMs: number;
  /** Runs a function in a later turn; `setImmediate` in the program. */
  readonly defer: (run: () => void) => void;
  /** Runs a function after a time; `setTimeout` in the program. */
  readonly after: (ms: number, run: () => void) => void;
}

export interface CommitParts {
  readonly engine: Engine;
  readonly build: (staged: readonly Staged[]) => Batch;
  /** A batch is durable; the next one is not built yet. */
  readonly written: (batch: Batch) => void;
  /** The disk takes writes again. */
  readonly recovered: () => void;
}

export type CommitListener = (upTo: Ticket, fault?: Error) => void;

export class Commits {
  readonly #parts: CommitParts;
  readonly #options: CommitOptions;
  readonly #staging = new Staging();
  /** Of those that wait while the disk takes nothing. */
  readonly #latest = new LatestRecords();
  readonly #listeners: CommitListener[] = [];
  /** Being written, or to be written again. */
  #batch: Batch | undefined = undefined;
  /** The lowest ticket in it. */
  #batchLowest: Ticket = 0;
  #scheduled = false;
  #announcing = false;
  #announced: Ticket = 0;
  #lingering = false;
  #lingerMark: Ticket = 0;
  #retrying: Promise<void> | undefined = undefined;
  #isEnding = false;
  #idle: (() => void) | undefined = undefined;
  /** The records of the batch. */
  readonly #taken: Staged[] = [];
  /** Why the last write failed; undefined = it did not. */
  fault: string | undefined = undefined;
  readonly #commitBound = (): void => {
    this.#scheduled = false;
    this.#commit();
  };
  readonly #lingerBound = (): void => this.#linger();
  readonly #announceBound = (): void => {
    this.#announcing = false;
    this.#announce();
  };

  constructor(parts: CommitParts, options: CommitOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  get last(): Ticket {
    return this.#staging.last;
  }

  get stagedBytes(): number {
    return this.#staging.bytes;
  }

  /** No ticket up to this one waits. */
  get upTo(): Ticket {
    const staged = this.#staging.lowest - 1;
    return this.#batch === undefined ? staged : Math.min(staged, this.#batchLowest - 1);
  }

  onCommitted(listener: CommitListener): void {
    this.#listeners.push(listener);
  }

  add(staged: Staged, urgent: boolean): Ticket {
    const known = this.fault === undefined ? undefined : this.#latest.find(staged);
    if (known !== undefined && this.#staging.replace(known, staged)) return this.last;
    const ticket = this.#staging.add(staged);
    if (this.fault !== undefined) this.#latest.put(staged, ticket);
    if (urgent) this.#schedule();
    else if (!this.#lingering) {
      this.#lingering = true;
      this.#options.after(this.#options.lingerMs / 2, this.#lingerBound);
    }
    return ticket;
  }

  /** Somebody waits for what is staged: it does not wait for an urgent record. */
  hasten(): void {
    this.#schedule();
  }

  /** The records of a session that are not known to be written, in order. */
  *unwrittenOf(session: number): Generator<StoreRecord> {
    for (const staged of this.#taken) if (staged.session === session) yield staged.record;
    for (const staged of this.#staging) if (staged.session === session) yield staged.record;
  }

  /** Takes a record back; undefined if it is written or being written. */
  strike(ticket: Ticket): Staged | undefined {
    const before = this.#staging.lowest;
    const staged = this.#staging.strike(ticket);
    if (staged !== undefined && this.#staging.lowest !== before) this.#announceSoon();
    return staged;
  }

  /** Writes what is staged, if the disk takes it; rejects with what it says if it does not. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#staging.lingered(this.#staging.last);
    this.#commit();
    await this.#rested();
    if (this.fault !== undefined) {
      // A disk that said no gets a last chance.
      await this.#retry();
      await this.#rested();
    }
    if (this.fault !== undefined) throw new Error(`what was staged could not be written: ${this.fault}`);
  }

  #rested(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#rest();
    });
  }

  /** Nothing is being written, and nothing that could be waits. */
  #rest(): void {
    const isIdle = this.fault !== undefined || (this.#batch === undefined && this.#staging.size === 0);
    if (isIdle) this.#idle?.();
  }

  #schedule(): void {
    if (this.#scheduled || this.#batch !== undefined) return;
    this.#scheduled = true;
    this.#options.defer(this.#commitBound);
  }

  #linger(): void {
    this.#staging.lingered(this.#lingerMark);
    this.#lingerMark = this.#staging.last;
    this.#lingering = this.#staging.size > 0;
    if (!this.#lingering) return;
    this.#options.after(this.#options.lingerMs / 2, this.#lingerBound);
    this.#commit();
  }

  /** Begins the next commit unless one is under way. */
  #commit(): void {
    if (this.#batch !== undefined) return;
    const taken = this.#taken;
    const lowest = this.#staging.take(taken, COMMIT);
    if (lowest === 0) return;
    this.#batch = this.#parts.build(taken);
    this.#batchLowest = lowest;
    void this.#write(this.#batch);
  }

  /** Never rejects. */
  #write(batch: Batch): Promise<void> {
    return this.#parts.engine.write(batch.writes).then(
      () => this.#written(batch),
      (fault: Error) => this.#failed(fault),
    );
  }

  #written(batch: Batch): void {
    this.#batch = undefined;
    this.#taken.length = 0;
    this.#parts.written(batch);
    if (this.fault !== undefined) {
      this.fault = undefined;
      this.#latest.clear();
      this.#parts.recovered();
    }
    this.#commit();
    this.#announce();
    this.#rest();
  }

  #failed(fault: Error): void {
    const isNew = this.fault === undefined;
    this.fault = fault.message;
    if (isNew) {
      for (const listener of this.#listeners) listener(this.#staging.last, fault);
    }
    this.#rest();
    this.#options.after(RETRY_MS, () => {
      if (!this.#isEnding) void this.#retry();
    });
  }

  /** Opens the database anew and writes what could not be written; one such try at a time. */
  #retry(): Promise<void> {
    this.#retrying ??= this.#tryAgain().finally(() => {
      this.#retrying = undefined;
    });
    return this.#retrying;
  }

  async #tryAgain(): Promise<void> {
    const batch = this.#batch;
    if (batch === undefined) return;
    const { engine } = this.#parts;
    try {
      await engine.close();
      await engine.open();
    } catch (fault) {
      this.#failed(fault as Error);
      return;
    }
    await this.#write(batch);
  }

  #announceSoon(): void {
    if (this.#announcing) return;
    this.#announcing = true;
    this.#options.defer(this.#announceBound);
  }

  #announce(): void {
    const { upTo } = this;
    if (upTo <= this.#announced) return;
    this.#announced = upTo;
    for (const listener of this.#listeners) listener(upTo);
  }
}

/** The most that one commit writes: it is built in one turn of the event loop. */
const COMMIT = { recordsMax: 512, bytesMax: 4 * 1024 * 1024 };

/** Between two tries to write what could not be written. */
const RETRY_MS = 1_000;
