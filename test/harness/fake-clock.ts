// Time, chance and measurements that a test owns.

import type { Clock, Random } from '../../packages/broker/src/ports/clock.ts';
import type { Gauge } from '../../packages/broker/src/ports/pressure.ts';

export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #monotonic = 1_000_000;

  nowMs(): number {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#monotonic;
  }

  advance(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
  }

  /** Somebody sets the wall clock back; time goes on all the same. */
  setBack(ms: number): void {
    this.#now -= ms;
  }
}

/** Measures what a test says. */
export class FakeGauge implements Gauge {
  memory = 0;
  lag = 0;

  memoryBytes(): number {
    return this.memory;
  }

  lagMs(): number {
    return this.lag;
  }
}

const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The same numbers for the same seed (a 32-bit xorshift). */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed = 0x2545f491) {
    this.#state = seed >>> 0 || 1;
  }

  uint32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  token(length: number): string {
    return Array.from({ length }, () => CHARACTERS[this.uint32() % CHARACTERS.length]).join('');
  }
}
