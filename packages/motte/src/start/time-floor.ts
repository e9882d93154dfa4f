// The earliest that it can be: the program was built, and this broker has known a later time. A clock below that is wrong (a
// board without a battery starts in 1970), and would make good what has ended. Until it is set, nothing that hangs on dates is judged.

import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrokerEvent } from '@motte/broker/events';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { Clock } from '@motte/broker/ports/clock';
import { replaceFile } from '@motte/broker/registry';
import { CLOCK } from '../data/clock.ts';

export interface TimeFloorParts {
  /** Where the latest time that was known is kept. */
  readonly path: string;
  readonly clock?: Clock;
  readonly told: (event: BrokerEvent) => void;
  /** Default: when this program was built. */
  readonly builtMs?: number;
}

export interface TimeFloor {
  /** Why the time is not known; undefined = the clock may be right. */
  unknown(): string | undefined;
  findings(): readonly HealthFinding[];
  /** Looks at the clock, and keeps a time that has held; it does so by itself. */
  look(): Promise<void>;
  /** Once more, and no more. */
  close(): Promise<void>;
}

export function openTimeFloor({ path, told, clock = CLOCK, builtMs = whenBuilt() }: TimeFloorParts): TimeFloor {
  let floorMs = Math.max(builtMs - BUILT_TOLERANCE_MS, readKept(path));
  let last = { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  let isBelow = false;

  const unknown = (): string | undefined => {
    const nowMs = clock.nowMs();
    if (nowMs + TOLERANCE_MS >= floorMs) return undefined;
    const [now, floor] = [new Date(nowMs).toISOString(), new Date(floorMs).toISOString()];
    return `this machine's clock says ${now}, and it was ${floor} already: no certificate or token is judged until it is set`;
  };
  const look = async (): Promise<void> => {
    const now = { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
    const why = unknown();
    if (isBelow !== (why !== undefined)) {
      isBelow = why !== undefined;
      if (why !== undefined) told({ name: 'clock.behind', atMs: now.nowMs, why });
      else told({ name: 'clock.right', atMs: now.nowMs });
    }
    const ranMs = now.monotonicMs - last.monotonicMs;
    // One that was set meanwhile has to hold first: what is written once cannot be taken back by a clock that was wrong.
    const hasHeld = Math.abs(now.nowMs - last.nowMs - ranMs) < STEP_MS;
    last = now;
    if (why !== undefined || !hasHeld || ranMs < HELD_MS || now.nowMs <= floorMs) return;
    floorMs = now.nowMs;
    // A disk that takes nothing is told by the store.
    await replaceFile(path, `${JSON.stringify({ format: FORMAT, known: new Date(floorMs).toISOString() })}\n`).catch(
      () => undefined,
    );
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  // The word that the clock is right again should not wait for the next of those.
  const soon = setInterval(() => {
    if (isBelow) void look();
  }, SOON_MS);
  soon.unref();
  return {
    unknown,
    findings() {
      const why = unknown();
      if (why === undefined) return [];
      return [{ subject: 'clock', why: `${why}; if that time was wrong, stop the broker and remove ${path}` }];
    },
    look,
    async close() {
      clearInterval(timer);
      clearInterval(soon);
      await look();
    },
  };
}

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

function whenBuilt(): number {
  return statSync(fileURLToPath(import.meta.url)).mtimeMs;
}

const FORMAT = 1;
/** As much as certificates are dated back, and more than any clock is corrected by. */
const TOLERANCE_MS = 3_600_000;
/** It may have been built elsewhere, by another clock. */
const BUILT_TOLERANCE_MS = 86_400_000;
const LOOK_MS = 600_000;
const SOON_MS = 1_000;
/** A time has to hold for this long, give or take a correction. */
const HELD_MS = 300_000;
const STEP_MS = 60_000;
