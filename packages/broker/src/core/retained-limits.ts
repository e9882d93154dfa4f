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
  /**
   * Staged and not committed. In two parts, of which the earlier one is let go of once it is committed: as long as messages keep
   * coming there is always one that is not, and all that came before it would be counted here and in the store.
   */
  private earlier = new Coming();
  private later = new Coming();
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
    const { earlier, later } = this;
    const isNew = replaced === undefined && !this.isComing(topic);
    if (isNew && this.store.retainedCount + earlier.topics.size + later.topics.size >= retainedMessagesMax) {
      return refuse(
        'quota-exceeded',
        `${retainedMessagesMax} messages are retained already`,
        'limits.retainedMessagesMax',
      );
    }
    if (this.store.retainedBytes + earlier.growth + later.growth + bytes - (replaced ?? 0) > retainedBytesMax) {
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
    const earlier = this.earlier.owners.get(owner) ?? NOTHING;
    const later = this.later.owners.get(owner) ?? NOTHING;
    const isOwn = there?.owner === owner;
    if (!isOwn && !this.isComing(topic)) {
      const count = checkCount(quotas, 'retainedMessages', messages + earlier.messages + later.messages);
      if (!count.allow) return count;
    }
    const coming = earlier.bytes + later.bytes + bytes;
    return checkSum(quotas, 'retainedBytes', held + coming - (isOwn ? there.bytes : 0));
  }

  /** A message was staged. */
  staged(message: Message, ticket: Ticket): void {
    const { topic, owner } = message;
    const { later } = this;
    const there = this.store.retainedAt(topic);
    const isOwn = there?.owner === owner;
    const own = later.owners.get(owner) ?? { messages: 0, bytes: 0 };
    if (!isOwn && !this.isComing(topic)) own.messages += 1;
    own.bytes += sizeOf(message) - (isOwn ? there.bytes : 0);
    later.owners.set(owner, own);
    if (there === undefined && !this.isComing(topic)) later.topics.add(topic);
    later.growth += sizeOf(message) - (there?.bytes ?? 0);
    later.upTo = ticket;
  }

  committed(upTo: Ticket): void {
    while (upTo >= this.earlier.upTo && this.earlier.upTo + this.later.upTo > 0) {
      this.earlier = this.later;
      this.later = new Coming();
    }
  }

  private isComing(topic: TopicName): boolean {
    return this.earlier.topics.has(topic) || this.later.topics.has(topic);
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

/** What was staged in one part of time. */
class Coming {
  /** New to the store. */
  readonly topics = new Set<TopicName>();
  /** Bytes by which the store grows. */
  growth = 0;
  /** The same of each identity. */
  readonly owners = new Map<string, { messages: number; bytes: number }>();
  /** Its last ticket; 0 = nothing was staged. */
  upTo: Ticket = 0;
}

const NOTHING = { messages: 0, bytes: 0 };
