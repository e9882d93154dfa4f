// From staged records to what is written: one batch for a commit, and what the database will hold once it is done. Reads
// what it must know of records that are there already; changes nothing itself.

import { sizeOf } from '../../ports/message.ts';
import type { RetainedFacts, RetainedTotals, StoreRecord } from '../../ports/store.ts';
import type { Bodies } from './bodies.ts';
import type { Write } from './engine.ts';
import { bodyKey, KEY, ownerKey, queueKey, receivedKey, retainedKey, sessionKeyOf, subscriptionKey } from './keys.ts';
import {
  decodeMessage,
  decodeQueued,
  encodeMessage,
  encodeQueued,
  encodeReceived,
  encodeSession,
  encodeSubscription,
  encodeWill,
  type QueuedHead,
} from './records.ts';
import { factsOf, isExpired, type RetainedBefore, type RetainedChange, UNREAD } from './retained-ahead.ts';
import { encodeTotals, plus, TOTALS_KEY } from './retained-totals.ts';
import { SEAL_BYTES, seal } from './seal.ts';
import type { SessionNumbers } from './sessions.ts';
import type { Staged } from './staging.ts';

export interface BatchParts {
  readonly sessions: SessionNumbers;
  readonly bodies: Bodies;
  /** The content of a record that is there; undefined if there is none, or none that can be read. */
  readonly read: (key: Uint8Array) => Uint8Array | undefined;
  /** What is retained of an identity before this batch. */
  readonly retainedOf: (owner: string) => RetainedTotals;
}

export interface Batch {
  readonly writes: readonly Write[];
  /** What it puts onto the disk. */
  readonly bytes: number;
  /** What is retained once it is written. */
  readonly totals: RetainedTotals;
  /** The same of each identity for which it changes. */
  readonly owners: ReadonlyMap<string, RetainedTotals>;
  /** Sessions that have ended then. */
  readonly ended: readonly number[];
  /** Records of retained messages in it, in their order. */
  readonly retained: readonly RetainedChange[];
}

/** The writes of a commit, in the order of its records and behind `first`. `totals` are those before it. */
export function buildBatch(
  staged: readonly Staged[],
  first: readonly Write[],
  totals: RetainedTotals,
  parts: BatchParts,
): Batch {
  const batch = new BatchBuilder(first, totals, parts);
  for (const one of staged) batch.add(one);
  return batch.end();
}

class BatchBuilder {
  readonly #parts: BatchParts;
  readonly #writes: Write[];
  readonly #ended: number[] = [];
  #bytes = 0;
  readonly #retained: RetainedChange[] = [];
  readonly #before: RetainedTotals;
  #totals: RetainedTotals;
  readonly #owners = new Map<string, RetainedTotals>();
  /** Content of what this batch has changed and may look at again, by key; undefined = removed. */
  readonly #changed = new Map<string, Uint8Array | undefined>();

  constructor(first: readonly Write[], totals: RetainedTotals, parts: BatchParts) {
    this.#writes = [...first];
    this.#before = totals;
    this.#totals = totals;
    this.#parts = parts;
  }

  add({ record, session, before }: Staged): void {
    switch (record.kind) {
      case 'session':
        this.#put(sessionKeyOf(KEY.session, session), encodeSession(record.session));
        break;
      case 'session-end':
        if (session === 0) break;
        // The rest of what it had is swept afterwards.
        this.#remove(sessionKeyOf(KEY.session, session));
        this.#ended.push(session);
        break;
      case 'retain':
        this.#retained.push({ record, before });
        this.#retain(record, before);
        break;
      case 'unretain':
        this.#retained.push({ record, before });
        this.#unretain(record, before);
        break;
      default:
        this.#ofSession(record, session);
    }
  }

  end(): Batch {
    if (this.#totals !== this.#before) this.#put(TOTALS_KEY, encodeTotals(this.#totals));
    for (const [owner, own] of this.#owners) {
      if (own.messages === 0) this.#remove(ownerKey(owner));
      else this.#put(ownerKey(owner), encodeTotals(own));
    }
    return {
      ...{ writes: this.#writes, bytes: this.#bytes, totals: this.#totals, owners: this.#owners },
      ...{ ended: this.#ended, retained: this.#retained },
    };
  }

  #ofSession(
    record: Exclude<StoreRecord, { kind: 'session' | 'session-end' | 'retain' | 'unretain' }>,
    session: number,
  ): void {
    if (record.kind === 'queue') {
      this.#queue(record, session);
      return;
    }
    // A session that ended meanwhile is not written to again.
    if (!this.#parts.sessions.isAlive(session)) return;
    switch (record.kind) {
      case 'subscribe': {
        const { subscription } = record;
        this.#put(subscriptionKey(session, UTF8.encode(subscription.filter)), encodeSubscription(subscription));
        break;
      }
      case 'unsubscribe':
        this.#remove(subscriptionKey(session, UTF8.encode(record.filter)));
        break;
      case 'released':
        this.#release(session, record.seq);
        break;
      case 'dequeue':
        this.#dequeue(session, record.seq);
        break;
      case 'receive':
        this.#put(receivedKey(session, record.packetId), encodeReceived(record.message));
        break;
      case 'received-end':
        this.#remove(receivedKey(session, record.packetId));
        break;
      case 'will':
        this.#put(sessionKeyOf(KEY.will, session), encodeWill(record.will));
        break;
      case 'unwill':
        this.#remove(sessionKeyOf(KEY.will, session));
        break;
      default:
        record satisfies never;
    }
  }

  #queue({ entry }: { readonly entry: Extract<StoreRecord, { kind: 'queue' }>['entry'] }, session: number): void {
    const { message } = entry;
    const { sessions, bodies } = this.#parts;
    if (message === undefined) {
      if (sessions.isAlive(session)) this.#put(queueKey(session, entry.seq), encodeQueued(entry, 0));
      return;
    }
    if (!sessions.isAlive(session)) {
      bodies.strike(message);
      return;
    }
    const { number, isNew } = bodies.write(message);
    if (isNew) this.#put(bodyKey(number), encodeMessage(message, false));
    this.#change(queueKey(session, entry.seq), encodeQueued(entry, number));
  }

  /** What remains of a released copy is that PUBREL is owed. */
  #release(session: number, seq: number): void {
    const key = queueKey(session, seq);
    const head = this.#head(key);
    if (head === undefined) return;
    this.#releaseBody(head);
    this.#change(key, encodeQueued({ ...head, seq, message: undefined }, 0));
  }

  #dequeue(session: number, seq: number): void {
    const key = queueKey(session, seq);
    const head = this.#head(key);
    if (head === undefined) return;
    this.#releaseBody(head);
    this.#change(key, undefined);
  }

  #releaseBody({ body }: QueuedHead): void {
    if (body !== 0 && this.#parts.bodies.release(body)) this.#remove(bodyKey(body));
  }

  #head(key: Uint8Array): QueuedHead | undefined {
    const content = this.#read(key);
    return content === undefined ? undefined : decodeQueued(content);
  }

  #retain({ message }: Extract<StoreRecord, { kind: 'retain' }>, before: RetainedBefore): void {
    const key = retainedKey(message.topicBytes);
    const known = this.#retainedAt(key, before);
    if (known !== undefined) this.#count(known, -1);
    this.#count({ bytes: sizeOf(message), owner: message.owner }, 1);
    const content = encodeMessage(message, true);
    if (before === UNREAD) this.#change(key, content);
    else this.#put(key, content);
  }

  #unretain({ topic, expiredAtMs }: Extract<StoreRecord, { kind: 'unretain' }>, before: RetainedBefore): void {
    const key = retainedKey(UTF8.encode(topic));
    const known = this.#retainedAt(key, before);
    if (known === undefined) return;
    if (expiredAtMs !== undefined && !isExpired(known, expiredAtMs)) return;
    this.#count(known, -1);
    if (before === UNREAD) this.#change(key, undefined);
    else this.#remove(key);
  }

  /** What was known when the record was staged holds: records are written in that order. */
  #retainedAt(key: Uint8Array, before: RetainedBefore): RetainedFacts | undefined {
    if (before !== UNREAD) return before;
    const content = this.#read(key);
    return content === undefined ? undefined : factsOf(decodeMessage(content));
  }

  /** As far as this batch has come. */
  #read(key: Uint8Array): Uint8Array | undefined {
    const name = nameOf(key);
    return this.#changed.has(name) ? this.#changed.get(name) : this.#parts.read(key);
  }

  #change(key: Uint8Array, content: Uint8Array | undefined): void {
    if (content === undefined) this.#remove(key);
    this.#changed.set(nameOf(key), content === undefined ? undefined : this.#put(key, content));
  }

  #count({ bytes, owner }: Pick<RetainedFacts, 'bytes' | 'owner'>, sign: 1 | -1): void {
    const own = this.#owners.get(owner) ?? this.#parts.retainedOf(owner);
    this.#totals = plus(this.#totals, sign, sign * bytes);
    this.#owners.set(owner, plus(own, sign, sign * bytes));
  }

  /** Gives the content as it will stand there. */
  #put(key: Uint8Array, content: Uint8Array): Uint8Array {
    const value = seal(key, content);
    this.#writes.push({ key, value });
    this.#bytes += key.length + value.length;
    return value.subarray(SEAL_BYTES);
  }

  #remove(key: Uint8Array): void {
    this.#writes.push({ key, value: undefined });
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

const UTF8 = new TextEncoder();
