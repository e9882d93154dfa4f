// The Store that survives, over a database of ordered keys. Owns what is staged and what is asked of it; commits.ts writes,
// batch.ts says what, and session-reads.ts and retained-messages.ts read.

import type { TopicFilter, TopicName } from '@motte/wire';
import { type Message, sizeOf } from '../../ports/message.ts';
import type {
  Cursor,
  OpenedSession,
  QueuedMessage,
  RetainedFacts,
  RetainedTotals,
  Store,
  StoreRecord,
  StoreSnapshot,
  StoreTrouble,
  Ticket,
} from '../../ports/store.ts';
import { type Answer, Answers } from './answers.ts';
import { type Batch, buildBatch } from './batch.ts';
import type { Bodies } from './bodies.ts';
import { type CommitListener, type CommitOptions, Commits } from './commits.ts';
import type { Engine } from './engine.ts';
import type { Quarantine } from './quarantine.ts';
import { RetainedMessages } from './retained-messages.ts';
import { placeBehind } from './retained-scan.ts';
import type { KnownTotals } from './retained-totals.ts';
import { SessionReads } from './session-reads.ts';
import type { SessionNumbers } from './sessions.ts';
import { snapshotOf } from './snapshot.ts';
import type { Space } from './space.ts';
import type { Staged } from './staging.ts';
import { Sweeping } from './sweeping.ts';
import type { Troubles } from './troubles.ts';

export interface LevelStoreOptions extends CommitOptions {
  /** Whether the disk has room to spare; absent = it is not looked at. */
  readonly space?: Space;
}

/** What opening found; see open.ts. */
export interface LevelStoreParts {
  readonly engine: Engine;
  readonly sessions: SessionNumbers;
  readonly bodies: Bodies;
  readonly quarantine: Quarantine;
  readonly troubles: Troubles;
  readonly retained: KnownTotals;
  /** Everything known at opening; handed out once. */
  readonly opened: readonly OpenedSession[];
}

export class LevelStore implements Store {
  readonly #options: LevelStoreOptions;
  readonly #engine: Engine;
  readonly #sessions: SessionNumbers;
  readonly #bodies: Bodies;
  readonly #quarantine: Quarantine;
  readonly #troubles: Troubles;
  readonly #commits: Commits;
  readonly #retained: RetainedMessages;
  readonly #sweeping: Sweeping;
  readonly #answers: Answers;
  readonly #reads: SessionReads;
  /** The number of the group that is being staged; 0 = none. */
  #group = 0;
  #groups = 0;
  #closed: Promise<void> | undefined = undefined;
  readonly #unseal = (key: Uint8Array, value: Uint8Array): Uint8Array | undefined =>
    this.#quarantine.unseal(key, value);

  constructor(parts: LevelStoreParts, options: LevelStoreOptions) {
    this.#options = options;
    this.#engine = parts.engine;
    this.#sessions = parts.sessions;
    this.#bodies = parts.bodies;
    this.#quarantine = parts.quarantine;
    this.#troubles = parts.troubles;
    this.#commits = new Commits(
      {
        engine: parts.engine,
        build: (staged) => this.#build(staged),
        written: (batch) => this.#written(batch),
        recovered: () => this.#troubles.tell({ kind: 'recovered' }),
      },
      options,
    );
    this.#retained = new RetainedMessages(parts.retained, {
      engine: parts.engine,
      unseal: this.#unseal,
      read: (key) => this.#read(key),
      commits: this.#commits,
    });
    const { engine, sessions, bodies, quarantine } = parts;
    this.#sweeping = new Sweeping({
      engine,
      sessions,
      bodies,
      takesWrites: () => this.#commits.fault === undefined,
    });
    this.#answers = new Answers(options.defer);
    this.#reads = new SessionReads(parts.opened, {
      engine,
      sessions,
      quarantine,
      unseal: this.#unseal,
      commits: this.#commits,
      sweeping: this.#sweeping,
      answers: this.#answers,
    });
    options.space?.onChange(() => this.#spaceChanged());
    this.#sweeping.begin();
  }

  stage(record: StoreRecord, urgent: boolean): Ticket {
    this.#reads.outdate();
    const session = 'key' in record ? (this.#sessions.find(record.key) ?? 0) : 0;
    const patient = !urgent && record.kind === 'queue' && this.#group === 0;
    const staged = {
      record,
      session: record.kind === 'session' ? this.#sessions.of(record.session.key) : session,
      patient,
      bytes: bytesOf(record),
      group: this.#group,
      before: record.kind === 'retain' || record.kind === 'unretain' ? this.#retained.stage(record) : undefined,
    };
    if (record.kind === 'session-end') this.#sessions.end(record.key);
    if (record.kind === 'queue' && record.entry.message !== undefined) this.#bodies.stage(record.entry.message);
    const { last } = this.#commits;
    const ticket = this.#commits.add(staged, urgent);
    const isReplacement = ticket === last;
    if (isReplacement && (record.kind === 'retain' || record.kind === 'unretain')) this.#retained.replaced(record);
    return ticket;
  }

  atomically<T>(work: () => T): T {
    // Part of what is atomic already.
    if (this.#group !== 0) return work();
    this.#groups += 1;
    this.#group = this.#groups;
    try {
      return work();
    } finally {
      this.#group = 0;
    }
  }

  strike(ticket: Ticket): boolean {
    const staged = this.#commits.strike(ticket);
    if (staged === undefined) return false;
    const { record } = staged;
    if (record.kind === 'queue' && record.entry.message !== undefined) this.#bodies.strike(record.entry.message);
    return true;
  }

  onCommitted(listener: CommitListener): void {
    this.#commits.onCommitted(listener);
  }

  onTrouble(listener: (trouble: StoreTrouble) => void): void {
    this.#options.defer(() => this.#troubles.listen(listener));
  }

  isCommitted(ticket: Ticket): boolean {
    return ticket <= this.#commits.upTo;
  }

  get lastTicket(): Ticket {
    return this.#commits.last;
  }

  get failing(): string | undefined {
    return this.#commits.fault ?? this.#options.space?.shortage;
  }

  get stagedBytes(): number {
    return this.#commits.stagedBytes;
  }

  hasSession(key: string): boolean {
    return this.#sessions.find(key) !== undefined;
  }

  openSession(key: string, callback: Answer<OpenedSession | undefined>): void {
    this.#reads.open(key, callback);
  }

  readQueue(key: string, afterSeq: number, max: number, callback: Answer<readonly QueuedMessage[]>): void {
    this.#reads.queue(key, afterSeq, max, callback);
  }

  readOwed(key: string, callback: Answer<readonly QueuedMessage[]>): void {
    this.#reads.owed(key, callback);
  }

  listSessions(callback: Answer<readonly OpenedSession[]>): void {
    this.#reads.list(callback);
  }

  matchRetained(
    filter: TopicFilter,
    cursor: Cursor,
    max: number,
    callback: (messages: readonly Message[], next: Cursor, fault?: Error) => void,
  ): void {
    const from = cursor === undefined ? undefined : String(cursor);
    this.#answers.give(
      () => this.#retained.page(filter, from, max),
      (page, fault) => callback(page?.messages ?? [], page?.next, fault),
    );
  }

  retainedBehind(topic: TopicName): Cursor {
    return placeBehind(topic);
  }

  retainedAt(topic: TopicName): RetainedFacts | undefined {
    return this.#retained.at(topic);
  }

  retainedOf(owner: string): RetainedTotals {
    return this.#retained.allOf(owner);
  }

  get retainedCount(): number {
    return this.#retained.allTotals.messages;
  }

  get retainedBytes(): number {
    return this.#retained.allTotals.bytes;
  }

  /** Records that were damaged and set apart, since the store was made. */
  get quarantined(): number {
    return this.#quarantine.count;
  }

  snapshot(): StoreSnapshot {
    return snapshotOf(this.#engine);
  }

  /** Commits what is staged, if the disk takes it, and closes. What is asked afterwards is answered with a fault. */
  close(): Promise<void> {
    this.#sweeping.stop();
    this.#answers.close();
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    try {
      await this.#commits.end();
      await this.#sweeping.underWay;
    } finally {
      await this.#engine.close();
    }
  }

  #build(staged: readonly Staged[]): Batch {
    return buildBatch(staged, this.#quarantine.moves(), this.#retained.totals, {
      sessions: this.#sessions,
      bodies: this.#bodies,
      read: (key) => this.#read(key),
      retainedOf: (owner) => this.#retained.of(owner),
    });
  }

  #written(batch: Batch): void {
    this.#retained.written(batch);
    this.#options.space?.wrote(batch.bytes);
    for (const session of batch.ended) this.#sessions.ended.add(session);
    this.#sweeping.begin();
  }

  /** What was taken is still written; new records are not, so that the disk is never full in the middle of a write. */
  #spaceChanged(): void {
    if (this.#commits.fault !== undefined || this.#closed !== undefined) return;
    const why = this.#options.space?.shortage;
    this.#troubles.tell(why === undefined ? { kind: 'recovered' } : { kind: 'failing', why });
  }

  #read(key: Uint8Array): Uint8Array | undefined {
    try {
      const value = this.#engine.get(key);
      return value === undefined ? undefined : this.#unseal(key, value);
    } catch (fault) {
      this.#quarantine.unreadable(key, (fault as Error).message);
      return undefined;
    }
  }
}

/** What waits for a commit is counted by what carries payload. */
function bytesOf(record: StoreRecord): number {
  if (record.kind === 'queue')
    return RECORD_BYTES + (record.entry.message === undefined ? 0 : sizeOf(record.entry.message));
  if (record.kind === 'retain') return RECORD_BYTES + sizeOf(record.message);
  if (record.kind === 'receive' && record.message !== undefined) return RECORD_BYTES + sizeOf(record.message);
  return RECORD_BYTES;
}

const RECORD_BYTES = 64;
