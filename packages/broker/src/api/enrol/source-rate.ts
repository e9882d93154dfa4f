// How often one source may ask: a token bucket for each, in bounded memory. A source that was forgotten starts anew, and
// as many as are remembered are more than can be connected.

export interface SourceRateLimits {
  readonly burst: number;
  readonly perMinute: number;
  readonly sourcesMax: number;
}

export class SourceRate {
  readonly #limits: SourceRateLimits;
  readonly #monotonicMs: () => number;
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  constructor(limits: SourceRateLimits, monotonicMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#monotonicMs = monotonicMs;
  }

  /** Whether the source may ask now; that counts. */
  pass(source: string): boolean {
    const { burst, perMinute, sourcesMax } = this.#limits;
    const atMs = this.#monotonicMs();
    const known = this.#buckets.get(source);
    const gained = known === undefined ? burst : ((atMs - known.atMs) / MINUTE_MS) * perMinute;
    const left = Math.min(burst, (known?.left ?? 0) + gained);
    // Inserted anew: the first of the map is who has not asked for longest.
    this.#buckets.delete(source);
    this.#buckets.set(source, { left: Math.max(0, left - 1), atMs });
    if (this.#buckets.size > sourcesMax)
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    return left >= 1;
  }
}

const MINUTE_MS = 60_000;
