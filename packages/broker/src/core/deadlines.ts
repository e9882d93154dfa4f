// Deadlines by name: session expiry, delayed wills and whatever else belongs to a key rather than to an object. One name
// has one deadline at most. The wheel below does the waiting; there is no timer per name.

import { Deadline, DeadlineWheel } from './deadline-wheel.ts';

export class Deadlines {
  readonly #wheel: DeadlineWheel;
  readonly #byName = new Map<string, Deadline>();

  constructor(nowMs: number, granularityMs: number) {
    this.#wheel = new DeadlineWheel({ nowMs, granularityMs });
  }

  /** Number of names that wait. */
  get size(): number {
    return this.#byName.size;
  }

  /** Calls `expire` once when `dueMs` has passed; in place of what the name waited for before; infinity = never. */
  set(name: string, dueMs: number, expire: (nowMs: number) => void): void {
    this.cancel(name);
    if (!Number.isFinite(dueMs)) return;
    const deadline = new Deadline((nowMs) => {
      this.#byName.delete(name);
      expire(nowMs);
    });
    this.#byName.set(name, deadline);
    this.#wheel.set(deadline, dueMs);
  }

  /** Nothing happens if the name does not wait. */
  cancel(name: string): void {
    const deadline = this.#byName.get(name);
    if (deadline === undefined) return;
    this.#byName.delete(name);
    this.#wheel.cancel(deadline);
  }

  /** Lets everything come due that is due at `nowMs`, the earliest first, and returns how many did. */
  advance(nowMs: number): number {
    return this.#wheel.advance(nowMs);
  }
}
