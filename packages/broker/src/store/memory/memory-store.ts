// The Store that forgets everything when the process ends, and the reference for those that do not. Owns staging,
// commits and answers; everything is answered in a later turn, so that the core cannot come to rely on an answer at once.
//
// Nothing is gained by letting a patient record wait here: writing costs less than remembering to write. All staged
// records are committed in the next turn, in the order in which they were staged.

import type { TopicFilter, TopicName } from '@motte/wire';
import type { Message } from '../../ports/message.ts';
import type {
  Cursor,
  OpenedSession,
  QueuedMessage,
  RetainedFacts,
  RetainedTotals,
  Store,
  StoreRecord,
  Ticket,
} from '../../ports/store.ts';
import { behind, orderOf } from '../retained-order.ts';
import { RetainedIndex } from './retained-index.ts';
import { SessionState } from './stored-session.ts';

export interface MemoryStoreOptions {
  /** Runs a function in a later turn, in the order of the calls; `setImmediate` in the program. */
  readonly defer: (run: () => void) => void;
}

type CommitListener = (upTo: Ticket, fault?: Error) => void;

export class MemoryStore implements Store {
  readonly #defer: (run: () => void) => void;
  readonly #sessions = new Map<string, SessionState>();
  readonly #retained = new RetainedIndex();
  readonly #listeners: CommitListener[] = [];
  /** What the next commit writes; undefined = struck. The ticket of the first is `#committedUpTo + 1`. */
  #staged: (StoreRecord | undefined)[] = [];
  #spare: (StoreRecord | undefined)[] = [];
  #committedUpTo: Ticket = 0;
  /** All staged before this place were struck. */
  #firstWaiting = 0;
  #scheduled = false;
  #closed = false;
  readonly #commitBound = (): void => this.#commit();

  constructor(options: MemoryStoreOptions) {
    this.#defer = options.defer;
  }

  retainedAt(topic: TopicName): RetainedFacts | undefined {
    return this.#retained.at(topic);
  }

  retainedOf(owner: string): RetainedTotals {
    return this.#retained.totalsOf(owner);
  }

  get retainedCount(): number {
    return this.#retained.size;
  }

  get retainedBytes(): number {
    return this.#retained.bytes;
  }

  stage(record: StoreRecord, _urgent: boolean): Ticket {
    this.#staged.push(record);
    // Limits count what is staged, and nobody takes these back: they need not wait for the commit.
    if (record.kind === 'retain' && !this.#closed) this.#retained.put(record.message);
    if (record.kind === 'unretain' && !this.#closed) this.#retained.remove(record.topic, record.expiredAtMs);
    if (!this.#scheduled && !this.#closed) {
      this.#scheduled = true;
      this.#defer(this.#commitBound);
    }
    return this.#committedUpTo + this.#staged.length;
  }

  atomically<T>(work: () => T): T {
    return work();
  }

  strike(ticket: Ticket): boolean {
    const place = ticket - this.#committedUpTo - 1;
    if (place < 0 || this.#staged[place] === undefined) return false;
    this.#staged[place] = undefined;
    return true;
  }

  get lastTicket(): Ticket {
    return this.#committedUpTo + this.#staged.length;
  }

  /** Memory that is full ends the process: there is nothing to wait for. */
  get failing(): undefined {
    return undefined;
  }

  /** All of it is gone by the next turn. */
  get stagedBytes(): number {
    return 0;
  }

  onCommitted(listener: CommitListener): void {
    this.#listeners.push(listener);
  }

  onTrouble(): void {
    // There is none that this store could tell.
  }

  isCommitted(ticket: Ticket): boolean {
    while (this.#firstWaiting < this.#staged.length && this.#staged[this.#firstWaiting] === undefined) {
      this.#firstWaiting += 1;
    }
    return ticket <= this.#committedUpTo + this.#firstWaiting;
  }

  hasSession(key: string): boolean {
    return this.#sessions.has(key);
  }

  openSession(key: string, callback: (session: OpenedSession | undefined, fault?: Error) => void): void {
    this.#defer(() => {
      if (this.#closed) callback(undefined, closedFault());
      else callback(this.#sessions.get(key)?.open());
    });
  }

  readQueue(
    key: string,
    afterSeq: number,
    max: number,
    callback: (entries: readonly QueuedMessage[], fault?: Error) => void,
  ): void {
    const session = this.#sessions.get(key);
    this.#defer(() => {
      if (this.#closed) callback([], closedFault());
      else callback(session?.queue.after(afterSeq, max) ?? []);
    });
  }

  readOwed(key: string, callback: (entries: readonly QueuedMessage[], fault?: Error) => void): void {
    // What is staged by now is committed before this is answered, and what is staged later changes no session that ended.
    this.readQueue(key, 0, Number.POSITIVE_INFINITY, (entries, fault) => {
      callback(
        entries.filter((entry) => entry.message !== undefined),
        fault,
      );
    });
  }

  matchRetained(
    filter: TopicFilter,
    cursor: Cursor,
    max: number,
    callback: (messages: readonly Message[], next: Cursor, fault?: Error) => void,
  ): void {
    this.#defer(() => {
      if (this.#closed) {
        callback([], undefined, closedFault());
        return;
      }
      const page = this.#retained.page(filter, cursor === undefined ? undefined : String(cursor), max);
      callback(page.messages, page.next);
    });
  }

  retainedBehind(topic: TopicName): Cursor {
    return behind(orderOf(topic));
  }

  listSessions(callback: (sessions: readonly OpenedSession[], fault?: Error) => void): void {
    this.#defer(() => {
      if (this.#closed) callback([], closedFault());
      else callback(Array.from(this.#sessions.values(), (state) => state.open()));
    });
  }

  snapshot(): undefined {
    return undefined;
  }

  /** Commits what is staged; what is asked or staged afterwards is answered with a fault, or not at all. */
  close(): Promise<void> {
    if (!this.#closed) this.#commit();
    this.#closed = true;
    return Promise.resolve();
  }

  #commit(): void {
    this.#scheduled = false;
    if (this.#closed || this.#staged.length === 0) return;
    const records = this.#staged;
    this.#staged = this.#spare;
    this.#firstWaiting = 0;
    for (const record of records) if (record !== undefined) this.#apply(record);
    this.#committedUpTo += records.length;
    records.length = 0;
    this.#spare = records;
    for (const listener of this.#listeners) listener(this.#committedUpTo);
  }

  #apply(record: StoreRecord): void {
    switch (record.kind) {
      case 'session': {
        const known = this.#sessions.get(record.session.key);
        if (known === undefined) this.#sessions.set(record.session.key, new SessionState(record.session));
        else known.session = record.session;
        break;
      }
      case 'session-end':
        this.#sessions.delete(record.key);
        break;
      case 'retain':
      case 'unretain':
        // Done when it was staged.
        break;
      default:
        // Records of a session that ended meanwhile must not bring it back.
        this.#sessions.get(record.key)?.apply(record);
    }
  }
}

function closedFault(): Error {
  return new Error('the store is closed');
}
