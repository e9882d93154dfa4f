// Seeded chance: the same choices for the same seed, so that whatever a run finds can be played again.

import { SeededRandom } from '../harness/fake-clock.ts';

export class Chance {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike.
    this.#random = new SeededRandom(Math.imul(seed + 1, 0x9e37_79b1));
    for (let i = 0; i < 4; i++) this.#random.uint32();
  }

  /** 0 to below `max`. */
  int(max: number): number {
    return this.#random.uint32() % max;
  }

  between(min: number, max: number): number {
    return min + this.int(max - min + 1);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.int(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.int(256));
  }
}
