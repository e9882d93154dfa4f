// Records that are not what was written: recognised by their checksum, moved aside with their bytes, and reported. What they
// may once have said is never guessed at.

import type { Write } from './engine.ts';
import { quarantineKey } from './keys.ts';
import { DamagedRecord, unseal } from './seal.ts';
import type { Troubles } from './troubles.ts';

export interface QuarantineOptions {
  readonly nowMs: () => number;
  readonly troubles: Troubles;
}

export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #met = new Set<string>();
  #isFull = false;
  #moves: Write[] = [];

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** Records met in this run. */
  get count(): number {
    return this.#met.size;
  }

  /** Something cannot be read at all. */
  unreadable(key: Uint8Array, why: string): void {
    const name = Buffer.from(key).toString('hex');
    if (!this.#isNew(name)) return;
    this.#options.troubles.tell({ kind: 'damaged', why: `record ${name} cannot be read: ${why}` });
  }

  /** The writes that move aside what was met since the last call; they must come before any other of the same keys. */
  moves(): readonly Write[] {
    const moves = this.#moves;
    this.#moves = [];
    return moves;
  }

  /** The content of a record; undefined if it was damaged, and then it is moved aside. */
  unseal(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
    try {
      return unseal(key, value);
    } catch (fault) {
      if (!(fault instanceof DamagedRecord)) throw fault;
      this.take(key, value, fault.message);
      return undefined;
    }
  }

  /** Moves a record aside. */
  take(key: Uint8Array, value: Uint8Array, why: string): void {
    const name = Buffer.from(key).toString('hex');
    if (!this.#isNew(name)) return;
    this.#moves.push({ key: quarantineKey(this.#options.nowMs(), key), value }, { key, value: undefined });
    this.#options.troubles.tell({ kind: 'damaged', why: `record ${name}: ${why}` });
  }

  /** Beyond so many, records are left where they are, and still not read; that is said once. */
  #isNew(name: string): boolean {
    if (this.#met.has(name)) return false;
    if (this.#met.size < QUARANTINED_MAX) {
      this.#met.add(name);
      return true;
    }
    if (!this.#isFull)
      this.#options.troubles.tell({ kind: 'damaged', why: `more than ${QUARANTINED_MAX} records are damaged` });
    this.#isFull = true;
    return false;
  }
}

const QUARANTINED_MAX = 10_000;
