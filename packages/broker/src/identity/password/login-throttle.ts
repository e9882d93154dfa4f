// Wrong passwords, counted for each pair of a source and a name that was claimed there: after a few of them the pair waits,
// each time twice as long. Names are never locked by themselves, so nobody can lock out a user from elsewhere. The count is
// of one verifier: a new password begins anew.

import type { Clock } from '../../ports/clock.ts';
import type { Verifier } from '../../ports/directory.ts';
import { Recent } from '../recent.ts';

interface Failures {
  readonly verifier: Verifier | undefined;
  readonly count: number;
  readonly lastMs: number;
  readonly untilMs: number;
}

export class LoginThrottle {
  readonly #clock: Clock;
  readonly #failures = new Recent<Failures>(PAIRS_MAX);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds that this pair still has to wait; 0 = none. */
  waitMs(source: string, name: string, verifier: Verifier | undefined): number {
    const failures = this.#current(source, name, verifier);
    return failures === undefined ? 0 : Math.max(0, failures.untilMs - this.#clock.monotonicMs());
  }

  failed(source: string, name: string, verifier: Verifier | undefined): void {
    const nowMs = this.#clock.monotonicMs();
    const count = (this.#current(source, name, verifier)?.count ?? 0) + 1;
    const over = count - FREE_FAILURES;
    const waitMs = over <= 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (over - 1), LONGEST_WAIT_MS);
    this.#failures.set(key(source, name), { verifier, count, lastMs: nowMs, untilMs: nowMs + waitMs });
  }

  succeeded(source: string, name: string): void {
    this.#failures.delete(key(source, name));
  }

  #current(source: string, name: string, verifier: Verifier | undefined): Failures | undefined {
    const failures = this.#failures.get(key(source, name));
    if (failures === undefined || failures.verifier !== verifier) return undefined;
    return this.#clock.monotonicMs() - failures.lastMs > FORGOTTEN_MS ? undefined : failures;
  }
}

function key(source: string, name: string): string {
  return `${source}\n${name}`;
}

/** Of a device that was given a wrong password, and of people at a keyboard. */
const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Failures that far apart are not one attempt. */
const FORGOTTEN_MS = 15 * 60_000;
const PAIRS_MAX = 10_000;
