// How fast an identity publishes, against the quotas of its roles: two token buckets that hold a second's worth and may go into debt
// by what was read already. Knows no clients; what follows from a debt is decided where messages come in.

import type { Quotas } from '../ports/quotas.ts';

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
