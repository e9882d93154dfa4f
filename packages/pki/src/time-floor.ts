// The earliest that it can be: the program was built, and a later time was known here before. A clock below that is wrong (a
// board without a battery starts in 1970), and would make good what has ended. What follows from it is for the owner of the
// floor: the broker judges no date until the clock is set, the authority writes none.

import { readFileSync } from 'node:fs';

export interface FloorParts {
  /** Where the latest time that was known is kept. */
  readonly path: string;
  /** Wall-clock and monotonic time in ms. */
  readonly clock: { nowMs(): number; monotonicMs(): number };
  /** When the program was built. */
  readonly builtMs: number;
  /** Replaces the file; what a disk does not take is tried again at the next look. */
  readonly keep: (text: string) => Promise<void>;
}

export class Floor {
  readonly #parts: FloorParts;
  #floorMs: number;
  #last: { readonly nowMs: number; readonly monotonicMs: number };

  constructor(parts: FloorParts) {
    const { path, clock, builtMs } = parts;
    this.#parts = parts;
    this.#floorMs = Math.max(builtMs - BUILT_TOLERANCE_MS, readKept(path));
    this.#last = { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  }

  /** Why the time is not known; undefined = the clock may be right. */
  unknown(): string | undefined {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs + TOLERANCE_MS >= this.#floorMs) return undefined;
    const [now, floor] = [new Date(nowMs).toISOString(), new Date(this.#floorMs).toISOString()];
    return `this machine's clock says ${now}, and it was ${floor} already`;
  }

  /** It is as late as this at least, whatever the clock says. */
  nowMs(): number {
    return Math.max(this.#parts.clock.nowMs(), this.#floorMs);
  }

  /** Looks at the clock, and keeps a time that has held. */
  async look(): Promise<void> {
    const { clock, keep } = this.#parts;
    const now = { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
    const ranMs = now.monotonicMs - this.#last.monotonicMs;
    // One that was set meanwhile has to hold first: what is written once cannot be taken back by a clock that was wrong.
    const hasHeld = Math.abs(now.nowMs - this.#last.nowMs - ranMs) < STEP_MS;
    this.#last = now;
    if (this.unknown() !== undefined || !hasHeld || ranMs < HELD_MS || now.nowMs <= this.#floorMs) return;
    this.#floorMs = now.nowMs;
    await keep(`${JSON.stringify({ format: FORMAT, known: new Date(now.nowMs).toISOString() })}\n`).catch(
      () => undefined,
    );
  }
}

/** How often to look. */
export const LOOK_MS = 600_000;

/** 0 where nothing is kept; what cannot be read is as good as nothing, and is written anew. */
function readKept(path: string): number {
  try {
    const { format, known } = JSON.parse(readFileSync(path, 'utf8')) as { format?: unknown; known?: unknown };
    const knownMs = format === FORMAT && typeof known === 'string' ? Date.parse(known) : Number.NaN;
    return Number.isNaN(knownMs) ? 0 : knownMs;
  } catch {
    return 0;
  }
}

const FORMAT = 1;
/** As much as certificates are dated back, and more than any clock is corrected by. */
const TOLERANCE_MS = 3_600_000;
/** It may have been built elsewhere, by another clock. */
const BUILT_TOLERANCE_MS = 86_400_000;
/** A time has to hold for this long, give or take a correction. */
const HELD_MS = 300_000;
const STEP_MS = 60_000;
