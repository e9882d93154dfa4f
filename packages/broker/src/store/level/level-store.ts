// The Store that survives: staged records are committed in groups, one group at a time, each synced to the disk before anybody
// is told. Owns commits, lingering and what happens when the disk does not take them; the bytes are batch.ts's.
//
// A commit that fails is not given up: nobody knows what of it reached the disk, so the database is opened anew and the same
// writes are tried until they succeed. Whoever waited is told meanwhile, and `failing` keeps new records away.

import type { TopicFilter, TopicName } from '@motte/wire';
import { type Message, sizeOf } from '../../ports/message.ts';
import type {
  Cursor,
  OpenedSession,
  QueuedMessage,
  Store,
  StoreRecord,
  StoreSnapshot,
  StoreTrouble,
  Ticket,
} from '../../ports/store.ts';
import { type Batch, buildBatch } from './batch.ts';
import type { Bodies } from './bodies.ts';
import type { Engine } from './engine.ts';
import { retainedKey } from './keys.ts';
import { loadSessions } from './load.ts';
import type { Quarantine } from './quarantine.ts';
import { queuePage } from './queue-page.ts';
import { decodeMessage } from './records.ts';
import { retainedPage } from './retained-scan.ts';
import type { RetainedTotals } from './retained-totals.ts';
import type { SessionNumbers } from './sessions.ts';
import { snapshotOf } from './snapshot.ts';
import type { Space } from './space.ts';
import { type Staged, Staging } from './staging.ts';
import { sweepEnded } from './sweep.ts';
import type { Troubles } from './troubles.ts';

export interface LevelStoreOptions {
  /** How long a record may wait to be struck out. */
  readonly lingerMs: number;
  /** Runs a function in a later turn; `setImmediate` in the program. */
  readonly defer: (run: () => void) => void;
  /** Runs a function after a time; `setTimeout` in the program. */
  readonly after: (ms: number, run: () => void) => void;
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
  readonly totals: RetainedTotals;
  /** Everything known at opening; handed out once. */
  readonly opened: readonly OpenedSession[];
}

type CommitListener = (upTo: Ticket, fault?: Error) => void;

export class LevelStore implements Store {
  readonly #options: LevelStoreOptions;
  readonly #engine: Engine;
  readonly #sessions: SessionNumbers;
  readonly #bodies: Bodies;
  readonly #quarantine: Quarantine;
  readonly #troubles: Troubles;
  readonly #staging = new Staging();
  readonly #listeners: CommitListener[] = [];
  #totals: RetainedTotals;
  #opened: readonly OpenedSession[] | undefined;
  /** Being written, or to be written again. */
  #batch: Batch | undefined = undefined;
  /** The lowest ticket in it. */
  #batchLowest: Ticket = 0;
  /** The number of the group that is being staged; 0 = none. */
  #group = 0;
  #groups = 0;
  #scheduled = false;
  #announcing = false;
  #announced: Ticket = 0;
  #lingering = false;
  #lingerMark: Ticket = 0;
  #sweeping = false;
  #fault: string | undefined = undefined;
  #retrying: Promise<void> | undefined = undefined;
  #closed: Promise<void> | undefined = undefined;
  #isClosed = false;
  #idle: (() => void) | undefined = undefined;
  readonly #taken: Staged[] = [];
  readonly #commitBound = (): void => {
    this.#scheduled = false;
    this.#commit();
  };
  readonly #lingerBound = (): void => this.#linger();
  readonly #announceBound = (): void => {
    this.#announcing = false;
    this.#announce();
  };
  readonly #unseal = (key: Uint8Array, value: Uint8Array): Uint8Array | undefined =>
    this.#quarantine.unseal(key, value);

  constructor(parts: LevelStoreParts, options: LevelStoreOptions) {
    this.#options = options;
    this.#engine = parts.engine;
    this.#sessions = parts.sessions;
    this.#bodies = parts.bodies;
    this.#quarantine = parts.quarantine;
    this.#troubles = parts.troubles;
    this.#totals = parts.totals;
    this.#opened = parts.opened;
    options.space?.onChange(() => this.#spaceChanged());
    this.#sweep();
  }

  stage(record: StoreRecord, urgent: boolean): Ticket {
    this.#opened = undefined;
    const session = 'key' in record ? (this.#sessions.find(record.key) ?? 0) : 0;
    const patient = !urgent && record.kind === 'queue' && this.#group === 0;
    const ticket = this.#staging.add({
      record,
      session: record.kind === 'session' ? this.#sessions.of(record.session.key) : session,
      patient,
      bytes: bytesOf(record),
      group: this.#group,
    });
    if (record.kind === 'session-end') this.#sessions.end(record.key);
    if (record.kind === 'queue' && record.entry.message !== undefined) this.#bodies.stage(record.entry.message);
    if (urgent) this.#schedule();
    else if (!this.#lingering) {
      this.#lingering = true;
      this.#options.after(this.#options.lingerMs / 2, this.#lingerBound);
    }
    return ticket;
  }

  atomically<T>(work: () => T): T {
    this.#groups += 1;
    this.#group = this.#groups;
    try {
      return work();
    } finally {
      this.#group = 0;
    }
  }

  strike(ticket: Ticket): boolean {
    const before = this.#staging.lowest;
    const staged = this.#staging.strike(ticket);
    if (staged === undefined) return false;
    const { record } = staged;
    if (record.kind === 'queue' && record.entry.message !== undefined) this.#bodies.strike(record.entry.message);
    if (this.#staging.lowest !== before) this.#announceSoon();
    return true;
  }

  onCommitted(listener: CommitListener): void {
    this.#listeners.push(listener);
  }

  onTrouble(listener: (trouble: StoreTrouble) => void): void {
    this.#options.defer(() => this.#troubles.listen(listener));
  }

  isCommitted(ticket: Ticket): boolean {
    return ticket <= this.#committedUpTo;
  }

  get lastTicket(): Ticket {
    return this.#staging.last;
  }

  get failing(): string | undefined {
    return this.#fault ?? this.#options.space?.shortage;
  }

  get stagedBytes(): number {
    return this.#staging.bytes;
  }

  hasSession(key: string): boolean {
    return this.#sessions.find(key) !== undefined;
  }

  openSession(key: string, callback: (session: OpenedSession | undefined, fault?: Error) => void): void {
    this.#answer(async () => {
      const number = this.#sessions.find(key);
      if (number === undefined) return undefined;
      const { sessions } = await loadSessions(this.#engine, this.#unseal, { first: number, last: number });
      return sessions.get(number);
    }, callback);
  }

  readQueue(
    key: string,
    afterSeq: number,
    max: number,
    callback: (entries: readonly QueuedMessage[], fault?: Error) => void,
  ): void {
    const session = this.#sessions.find(key);
    this.#answer(
      async () => (session === undefined ? [] : queuePage(this.#engine, this.#quarantine, { session, afterSeq, max })),
      (entries, fault) => callback(entries ?? [], fault),
    );
  }

  matchRetained(
    filter: TopicFilter,
    cursor: Cursor,
    max: number,
    callback: (messages: readonly Message[], next: Cursor, fault?: Error) => void,
  ): void {
    const from = cursor === undefined ? undefined : String(cursor);
    this.#answer(
      () => retainedPage(this.#engine, this.#unseal, filter, from, max),
      (page, fault) => callback(page?.messages ?? [], page?.next, fault),
    );
  }

  retainedBytesOf(topic: TopicName): number | undefined {
    if (this.#fault !== undefined) return undefined;
    const content = this.#read(retainedKey(UTF8.encode(topic)));
    return content === undefined ? undefined : sizeOf(decodeMessage(content));
  }

  get retainedCount(): number {
    return this.#totals.messages;
  }

  get retainedBytes(): number {
    return this.#totals.bytes;
  }

  /** What opening has read is handed out as long as it holds: nothing is read twice at a start. */
  listSessions(callback: (sessions: readonly OpenedSession[], fault?: Error) => void): void {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#answer(
      async () => {
        if (opened !== undefined) return opened;
        const { sessions } = await loadSessions(this.#engine, this.#unseal, { first: 0, last: 0xffff_ffff });
        return [...sessions.values()];
      },
      (sessions, fault) => callback(sessions ?? [], fault),
    );
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
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    this.#staging.lingered(this.#staging.last);
    this.#commit();
    await this.#rested();
    // A disk that said no gets a last chance.
    if (this.#fault !== undefined) {
      await this.#retry();
      await this.#rested();
    }
    this.#isClosed = true;
    await this.#engine.close();
    if (this.#fault !== undefined) throw new Error(`what was staged could not be written: ${this.#fault}`);
  }

  #rested(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      if (this.#isIdle) resolve();
    });
  }

  /** Nothing is being written, and nothing that could be waits. */
  get #isIdle(): boolean {
    return this.#fault !== undefined || (this.#batch === undefined && this.#staging.size === 0 && !this.#sweeping);
  }

  get #committedUpTo(): Ticket {
    const staged = this.#staging.lowest - 1;
    return this.#batch === undefined ? staged : Math.min(staged, this.#batchLowest - 1);
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
    if (this.#batch !== undefined || this.#isClosed) return;
    const taken = this.#taken;
    const lowest = this.#staging.take(taken, COMMIT);
    if (lowest === 0) return;
    this.#batch = buildBatch(taken, this.#quarantine.moves(), this.#totals, {
      sessions: this.#sessions,
      bodies: this.#bodies,
      read: (key) => this.#read(key),
    });
    this.#batchLowest = lowest;
    taken.length = 0;
    void this.#write(this.#batch);
  }

  /** Never rejects. */
  #write(batch: Batch): Promise<void> {
    return this.#engine.write(batch.writes).then(
      () => this.#written(batch),
      (fault: Error) => this.#failed(fault),
    );
  }

  #written({ totals, ended }: Batch): void {
    this.#batch = undefined;
    this.#totals = totals;
    for (const session of ended) this.#sessions.ended.add(session);
    if (this.#fault !== undefined) {
      this.#fault = undefined;
      this.#troubles.tell({ kind: 'recovered' });
    }
    this.#commit();
    this.#announce();
    this.#sweep();
    this.#rest();
  }

  #failed(fault: Error): void {
    const isNew = this.#fault === undefined;
    this.#fault = fault.message;
    if (isNew) {
      for (const listener of this.#listeners) listener(this.#staging.last, fault);
    }
    this.#rest();
    this.#options.after(RETRY_MS, () => {
      if (this.#closed === undefined) void this.#retry();
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
    try {
      await this.#engine.close();
      await this.#engine.open();
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
    const upTo = this.#committedUpTo;
    if (upTo <= this.#announced) return;
    this.#announced = upTo;
    for (const listener of this.#listeners) listener(upTo);
  }

  /** What was taken is still written; new records are not, so that the disk is never full in the middle of a write. */
  #spaceChanged(): void {
    if (this.#fault !== undefined || this.#closed !== undefined) return;
    const why = this.#options.space?.shortage;
    this.#troubles.tell(why === undefined ? { kind: 'recovered' } : { kind: 'failing', why });
  }

  /** What sessions that ended have left behind goes when nothing else is to do. */
  #sweep(): void {
    if (this.#sweeping || this.#sessions.ended.size === 0 || this.#fault !== undefined) return;
    this.#sweeping = true;
    const swept = (): void => {
      this.#sweeping = false;
      this.#rest();
    };
    sweepEnded(this.#engine, this.#sessions, this.#bodies, () => this.#closed === undefined).then(swept, swept);
  }

  #rest(): void {
    if (this.#idle !== undefined && this.#isIdle) this.#idle();
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

  /** Answers in a later turn, in whatever way it goes. */
  #answer<T>(ask: () => Promise<T | undefined>, callback: (answer: T | undefined, fault?: Error) => void): void {
    this.#options.defer(() => {
      if (this.#closed !== undefined) {
        callback(undefined, new Error('the store is closed'));
        return;
      }
      ask().then(
        (answer) => callback(answer),
        (fault: Error) => callback(undefined, fault),
      );
    });
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

/** The most that one commit writes: it is built in one turn of the event loop. */
const COMMIT = { recordsMax: 512, bytesMax: 4 * 1024 * 1024 };

/** Between two tries to write what could not be written. */
const RETRY_MS = 1_000;

const UTF8 = new TextEncoder();
