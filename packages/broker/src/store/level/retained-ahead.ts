// What is retained once all is written that was staged. It is known as soon as a record is staged: limits hold for what comes in
// one burst, and what stood at a topic is read once for the check, the counting and the commit.

import { type TopicFilter, type TopicName, topicMatches } from '@motte/wire';
import { type Message, sizeOf } from '../../ports/message.ts';
import type { RetainedFacts, RetainedTotals, StoreRecord } from '../../ports/store.ts';
import { NO_TOTALS, plus } from './retained-totals.ts';

/** The database cannot be read now: whoever writes the record looks. */
export const UNREAD = 'unread';

/** What stands at a topic; undefined = nothing. */
export type RetainedBefore = RetainedFacts | undefined | typeof UNREAD;

export type RetainedRecord = Extract<StoreRecord, { kind: 'retain' | 'unretain' }>;

/** A record that waits for its commit, and what it finds then. */
export interface RetainedChange {
  readonly record: RetainedRecord;
  readonly before: RetainedBefore;
}

interface Latest {
  facts: RetainedBefore;
  /** What the last record that changes it leaves there; 'nothing', or undefined = as the database has it. */
  change: Message | 'nothing' | undefined;
  /** Records of the topic that are not written. */
  waiting: number;
}

export class RetainedAhead {
  readonly #read: (topic: TopicName) => RetainedBefore;
  /** Topics of which something waits. */
  readonly #latest = new Map<TopicName, Latest>();
  /** By how much more will be retained than is now. */
  totals: RetainedTotals = NO_TOTALS;
  readonly #owners = new Map<string, RetainedTotals>();
  /** What was read last: whoever checks a message stages it next. */
  #lookedAt: TopicName | undefined = undefined;
  #found: RetainedBefore = undefined;

  /** `read` gives what the database has. */
  constructor(read: (topic: TopicName) => RetainedBefore) {
    this.#read = read;
  }

  at(topic: TopicName): RetainedBefore {
    const latest = this.#latest.get(topic);
    if (latest !== undefined) return latest.facts;
    if (this.#lookedAt === topic) return this.#found;
    const found = this.#read(topic);
    if (found === UNREAD) return UNREAD;
    this.#lookedAt = topic;
    this.#found = found;
    return found;
  }

  /** By how much more the identity will have. */
  of(owner: string): RetainedTotals {
    return this.#owners.get(owner) ?? NO_TOTALS;
  }

  /** A record is staged; gives what it finds. */
  stage(record: RetainedRecord): RetainedBefore {
    const topic = topicOf(record);
    const before = this.at(topic);
    const facts = afterOf(record, before);
    let latest = this.#latest.get(topic);
    if (latest === undefined) this.#latest.set(topic, (latest = { facts, change: undefined, waiting: 0 }));
    latest.facts = facts;
    latest.waiting += 1;
    if (record.kind === 'retain') latest.change = record.message;
    else if (facts === undefined) latest.change = 'nothing';
    if (this.#lookedAt === topic) this.#lookedAt = undefined;
    this.#count(before, -1);
    this.#count(facts, 1);
    return before;
  }

  /** The record that was staged last took the place of the one before it. */
  replaced(record: RetainedRecord): void {
    (this.#latest.get(topicOf(record)) as Latest).waiting -= 1;
  }

  /** What waits for topics that match: it goes over what a scan of the database finds. */
  changes(filter: TopicFilter): ReadonlyMap<TopicName, Message | 'nothing'> {
    const changes = new Map<TopicName, Message | 'nothing'>();
    for (const [topic, { change }] of this.#latest) {
      if (change !== undefined && topicMatches(filter, topic)) changes.set(topic, change);
    }
    return changes;
  }

  /** They are in the database now, and in its totals. */
  written(changes: readonly RetainedChange[]): void {
    for (const { record, before } of changes) {
      this.#count(before, 1);
      this.#count(afterOf(record, before), -1);
      const topic = topicOf(record);
      const latest = this.#latest.get(topic) as Latest;
      latest.waiting -= 1;
      if (latest.waiting === 0) this.#latest.delete(topic);
    }
  }

  #count(facts: RetainedBefore, sign: 1 | -1): void {
    if (facts === undefined || facts === UNREAD) return;
    const { bytes, owner } = facts;
    this.totals = plus(this.totals, sign, sign * bytes);
    const own = plus(this.of(owner), sign, sign * bytes);
    if (own.messages === 0 && own.bytes === 0) this.#owners.delete(owner);
    else this.#owners.set(owner, own);
  }
}

/** What stands at the topic behind the record. */
function afterOf(record: RetainedRecord, before: RetainedBefore): RetainedBefore {
  if (record.kind === 'retain') return factsOf(record.message);
  if (before === undefined || record.expiredAtMs === undefined) return undefined;
  return before === UNREAD || !isExpired(before, record.expiredAtMs) ? before : undefined;
}

export function factsOf(message: Message): RetainedFacts {
  return { bytes: sizeOf(message), owner: message.owner, expiresAtMs: message.expiresAtMs };
}

/** It expires no later than that. */
export function isExpired({ expiresAtMs }: Pick<RetainedFacts, 'expiresAtMs'>, atMs: number): boolean {
  return expiresAtMs !== 0 && expiresAtMs <= atMs;
}

function topicOf(record: RetainedRecord): TopicName {
  return record.kind === 'retain' ? record.message.topic : record.topic;
}
