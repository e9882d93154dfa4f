// The keys of one issuer, kept between proofs and read again when a token names one that is not there: never more often than
// the shortest interval, whatever peers send, and only from where the configuration says. A set that cannot be read leaves
// the old one in force.

import { parseKeySet, type SigningKey } from './signing-keys.ts';
import type { TokenAlgorithm } from './token-issuers.ts';

export interface KeySetParts {
  /** The set's text; bounds its own size and time. */
  readonly read: () => Promise<string>;
  readonly monotonicMs: () => number;
  /** Told after every reading that went otherwise than the one before. */
  readonly onChange?: (fault: string | undefined) => void;
}

export class KeySet {
  readonly #parts: KeySetParts;
  #keys: readonly SigningKey[] = [];
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #waiting = 0;
  /** Why the last reading failed; undefined if it did not. */
  fault: string | undefined = 'it was not read yet';

  constructor(parts: KeySetParts) {
    this.#parts = parts;
  }

  get keys(): readonly SigningKey[] {
    return this.#keys;
  }

  /** Keys that may have signed with this algorithm; without an id only where there is no choice. */
  async find(id: string | undefined, algorithm: TokenAlgorithm): Promise<readonly SigningKey[]> {
    const known = this.#known(id, algorithm);
    if (known.length > 0 || !this.#mayRead()) return known;
    this.#waiting += 1;
    try {
      await this.refresh();
    } finally {
      this.#waiting -= 1;
    }
    return this.#known(id, algorithm);
  }

  /** Reads the set again; several callers share one reading. Never rejects: what went wrong stands in `fault`. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  #mayRead(): boolean {
    if (this.#reading !== undefined) return this.#waiting < WAITING_MAX;
    return this.#parts.monotonicMs() - this.#readAtMs >= READ_INTERVAL_MS;
  }

  #known(id: string | undefined, algorithm: TokenAlgorithm): readonly SigningKey[] {
    const fit = this.#keys.filter((key) => key.algorithms.includes(algorithm) && (id === undefined || key.id === id));
    return id === undefined && fit.length > 1 ? [] : fit;
  }

  async #read(): Promise<void> {
    this.#readAtMs = this.#parts.monotonicMs();
    const before = this.fault;
    try {
      this.#keys = parseKeySet(await this.#parts.read());
      this.fault = undefined;
    } catch (fault) {
      this.fault = fault instanceof Error ? fault.message : String(fault);
    }
    if (this.fault !== before) this.#parts.onChange?.(this.fault);
  }
}

/** The least time between two readings that tokens cause. */
export const READ_INTERVAL_MS = 30_000;
/** Proofs that wait for a reading under way; more of them are refused, and their clients try again. */
const WAITING_MAX = 16;
