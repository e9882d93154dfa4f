// How fast an identity publishes, against the quotas of its roles: two token buckets that hold a second's worth and may go into debt
// by what was read already. Knows no clients; what follows from a debt is decided where messages come in.

import type { Quotas } from '../ports/quotas.ts';

export type RateQuota = 'messagesPerSecond' | 'bytesPerSecond';

export class Rate {
  private quotas: Quotas;
  private messages: number;
  private bytes: number;
  private atMs: number;

  constructor(quotas: Quotas, nowMs: number) {
    this.quotas = quotas;
    this.messages = quotas.messagesPerSecond;
    this.bytes = quotas.bytesPerSecond;
    this.atMs = nowMs;
  }

  /** True if it knows nothing that a new one would not. */
  isFull(nowMs: number): boolean {
    this.refill(nowMs);
    return this.messages >= this.quotas.messagesPerSecond && this.bytes >= this.quotas.bytesPerSecond;
  }

  /** Counts a message of so many bytes of payload. */
  take(bytes: number): void {
    this.messages -= 1;
    this.bytes -= bytes;
  }

  /** Milliseconds until nothing is owed any more; 0 = nothing is. Quotas may have changed since the last time. */
  debtMs(quotas: Quotas, nowMs: number): number {
    this.quotas = quotas;
    this.refill(nowMs);
    const seconds = Math.max(owed(this.messages, quotas.messagesPerSecond), owed(this.bytes, quotas.bytesPerSecond));
    return Math.ceil(seconds * 1000);
  }

  /** Which of the two is used up, so that not one more message is covered; undefined = neither is. */
  usedUp(quotas: Quotas, nowMs: number): RateQuota | undefined {
    this.quotas = quotas;
    this.refill(nowMs);
    // A message is not known to be larger than what is left, and one that is larger than a second's worth has to pass some time.
    if (this.messages < 1 - ROUNDING) return 'messagesPerSecond';
    return this.bytes <= 0 ? 'bytesPerSecond' : undefined;
  }

  /** Which of the two takes longer to be paid for. */
  get slower(): RateQuota {
    const { messagesPerSecond, bytesPerSecond } = this.quotas;
    return owed(this.bytes, bytesPerSecond) > owed(this.messages, messagesPerSecond)
      ? 'bytesPerSecond'
      : 'messagesPerSecond';
  }

  private refill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.atMs) / 1000;
    this.atMs = nowMs;
    this.messages = refilled(this.messages, this.quotas.messagesPerSecond, seconds);
    this.bytes = refilled(this.bytes, this.quotas.bytesPerSecond, seconds);
  }
}

function refilled(tokens: number, perSecond: number, seconds: number): number {
  // Without a bound there is nothing to count: Infinity times zero seconds would be no number at all.
  return perSecond === Number.POSITIVE_INFINITY ? perSecond : Math.min(perSecond, tokens + seconds * perSecond);
}

/** Seconds. */
function owed(tokens: number, perSecond: number): number {
  return tokens >= 0 ? 0 : -tokens / perSecond;
}

/** Of a message: what many small refills may lack of a whole one. */
const ROUNDING = 1e-6;
