// Room for retained messages: what the store holds and what is on its way there, against the limits. Where room grows scarce,
// messages that have expired are looked for and forgotten, since nobody may ever ask for them again.

import type { TopicFilter, TopicName } from '@motte/wire';
import type { Limits } from '../ports/limits.ts';
import { type Message, sizeOf } from '../ports/message.ts';
import { NO_QUOTAS, type Quotas } from '../ports/quotas.ts';
import type { Cursor, RetainedFacts, Store, Ticket } from '../ports/store.ts';
import { ALLOW, refuse, type Verdict } from '../ports/verdict.ts';
import { checkCount, checkSum } from './quotas.ts';

/** All topics: those that begin with `$` are the broker's own and never expire. */
const EVERY_TOPIC = '#' as TopicFilter;

/** Looked at per page, and a page a tick. */
const SWEEP_PAGE = 256;

/** Part of a limit from which on expired messages are looked for. */
const SWEEP_FROM = 0.5;

export class RetainedLimits {
  private readonly store: Store;
  private readonly limits: Limits;
  /** Staged and not committed: topics that are new to the store, and bytes by which it grows. */
  private newTopics = new Set<TopicName>();
  private growth = 0;
  /** The same of each identity. */
  private readonly newOf = new Map<string, { messages: number; bytes: number }>();
  private lastTicket: Ticket = 0;
  private cursor: Cursor = undefined;
  private sweeping = false;

  constructor(store: Store, limits: Limits) {
    this.store = store;
    this.limits = limits;
  }

  /** Whether one more message may be retained; `bytes` is its size, `owner` the key of whose it is. */
  check(topic: TopicName, bytes: number, owner: string, quotas: Quotas): Verdict {
    const { retainedMessagesMax, retainedBytesMax } = this.limits;
    const there = this.store.retainedAt(topic);
    const own = this.checkOwn(topic, bytes, owner, quotas, there);
    if (!own.allow) return own;
    const replaced = there?.bytes;
    const isNew = replaced === undefined && !this.newTopics.has(topic);
    if (isNew && this.store.retainedCount + this.newTopics.size >= retainedMessagesMax) {
      return refuse(
        'quota-exceeded',
        `${retainedMessagesMax} messages are retained already`,
        'limits.retainedMessagesMax',
      );
    }
    if (this.store.retainedBytes + this.growth + bytes - (replaced ?? 0) > retainedBytesMax) {
      return refuse(
        'quota-exceeded',
        `retained messages take ${retainedBytesMax} bytes already`,
        'limits.retainedBytesMax',
      );
    }
    return ALLOW;
  }

  /** What is staged counts for whoever stages it; what it takes from others counts once it is written. */
  private checkOwn(
    topic: TopicName,
    bytes: number,
    owner: string,
    quotas: Quotas,
    there: RetainedFacts | undefined,
  ): Verdict {
    if (quotas === NO_QUOTAS) return ALLOW;
    const { messages, bytes: held } = this.store.retainedOf(owner);
    const coming = this.newOf.get(owner) ?? NOTHING;
    const isOwn = there?.owner === owner;
    if (!isOwn && !this.newTopics.has(topic)) {
      const count = checkCount(quotas, 'retainedMessages', messages + coming.messages);
      if (!count.allow) return count;
    }
    return checkSum(quotas, 'retainedBytes', held + coming.bytes + bytes - (isOwn ? there.bytes : 0));
  }

  /** A message was staged. */
  staged(message: Message, ticket: Ticket): void {
    const { topic, owner } = message;
    const there = this.store.retainedAt(topic);
    const isOwn = there?.owner === owner;
    const coming = this.newOf.get(owner) ?? { messages: 0, bytes: 0 };
    if (!isOwn && !this.newTopics.has(topic)) coming.messages += 1;
    coming.bytes += sizeOf(message) - (isOwn ? there.bytes : 0);
    this.newOf.set(owner, coming);
    if (there === undefined) this.newTopics.add(topic);
    this.growth += sizeOf(message) - (there?.bytes ?? 0);
    this.lastTicket = ticket;
  }

  committed(upTo: Ticket): void {
    if (this.lastTicket === 0 || upTo < this.lastTicket) return;
    this.newTopics.clear();
    this.newOf.clear();
    this.growth = 0;
    this.lastTicket = 0;
  }

  /** Looks for expired messages, a page at a time, while much of a limit is taken. */
  sweep(nowMs: number): void {
    const { store, limits } = this;
    if (this.sweeping) return;
    const scarce =
      store.retainedCount >= limits.retainedMessagesMax * SWEEP_FROM ||
      store.retainedBytes >= limits.retainedBytesMax * SWEEP_FROM;
    if (!scarce) return;
    this.sweeping = true;
    store.matchRetained(EVERY_TOPIC, this.cursor, SWEEP_PAGE, (messages, next, fault) => {
      this.sweeping = false;
      this.cursor = next;
      if (fault !== undefined) return;
      for (const { topic, expiresAtMs } of messages) {
        if (expiresAtMs === 0 || expiresAtMs > nowMs) continue;
        store.stage({ kind: 'unretain', topic, expiredAtMs: nowMs }, false);
      }
    });
  }
}

const NOTHING = { messages: 0, bytes: 0 };
