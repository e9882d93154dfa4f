// Room for retained messages: what the store holds, with what is on its way there, against the limits. Where room grows scarce,
// messages that have expired are looked for and forgotten, since nobody may ever ask for them again.

import type { TopicFilter, TopicName } from '@motte/wire';
import type { Limits } from '../ports/limits.ts';
import { NO_QUOTAS, type Quotas } from '../ports/quotas.ts';
import type { Cursor, RetainedFacts, Store } from '../ports/store.ts';
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
  private cursor: Cursor = undefined;
  private sweeping = false;

  constructor(store: Store, limits: Limits) {
    this.store = store;
    this.limits = limits;
  }

  /** Whether one more message may be retained; `bytes` is its size, `owner` the key of whose it is. */
  check(topic: TopicName, bytes: number, owner: string, quotas: Quotas): Verdict {
    const { retainedMessagesMax, retainedBytesMax } = this.limits;
    const replaced = this.store.retainedAt(topic);
    const own = this.checkOwn(bytes, owner, quotas, replaced);
    if (!own.allow) return own;
    if (replaced === undefined && this.store.retainedCount >= retainedMessagesMax) {
      return refuse(
        'quota-exceeded',
        `${retainedMessagesMax} messages are retained already`,
        'limits.retainedMessagesMax',
      );
    }
    if (this.store.retainedBytes + bytes - (replaced?.bytes ?? 0) > retainedBytesMax) {
      return refuse(
        'quota-exceeded',
        `retained messages take ${retainedBytesMax} bytes already`,
        'limits.retainedBytesMax',
      );
    }
    return ALLOW;
  }

  private checkOwn(bytes: number, owner: string, quotas: Quotas, replaced: RetainedFacts | undefined): Verdict {
    if (quotas === NO_QUOTAS) return ALLOW;
    const { messages, bytes: held } = this.store.retainedOf(owner);
    const isOwn = replaced?.owner === owner;
    if (!isOwn) {
      const count = checkCount(quotas, 'retainedMessages', messages);
      if (!count.allow) return count;
    }
    return checkSum(quotas, 'retainedBytes', held + bytes - (isOwn ? replaced.bytes : 0));
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
        if (expiresAtMs !== 0 && expiresAtMs <= nowMs) this.forgetExpired(topic, nowMs);
      }
    });
  }

  /** There is no hurry: while the disk takes nothing it is not added to what waits. One that is only short of space gets some back. */
  forgetExpired(topic: TopicName, nowMs: number): void {
    const { store } = this;
    if (store.failing !== undefined && store.stagedBytes > 0) return;
    store.stage({ kind: 'unretain', topic, expiredAtMs: nowMs }, false);
  }
}
