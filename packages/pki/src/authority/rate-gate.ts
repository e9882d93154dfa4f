// Token buckets, one per method, over all connections of a socket.

import type { Rate } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';

const MINUTE_MS = 60_000;

export class RateGate {
  readonly #buckets = new Map<string, { rate: Rate; tokens: number; atMs: number }>();
  readonly #monotonicMs: () => number;

  constructor(rates: Readonly<Record<string, Rate>>, monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
    for (const [method, rate] of Object.entries(rates)) {
      this.#buckets.set(method, { rate, tokens: rate.burst, atMs: monotonicMs() });
    }
  }

  /** Takes one token of the method; throws MOT-0427 if there is none. */
  pass(method: string): void {
    const bucket = this.#buckets.get(method);
    if (bucket === undefined) return;
    const atMs = this.#monotonicMs();
    const gained = ((atMs - bucket.atMs) / MINUTE_MS) * bucket.rate.perMinute;
    bucket.tokens = Math.min(bucket.rate.burst, bucket.tokens + gained);
    bucket.atMs = atMs;
    if (bucket.tokens < 1) throw new AuthorityFault('MOT-0427', `${method} was asked for too often`);
    bucket.tokens -= 1;
  }
}
