// The broker's own floor of the time (@motte/pki has what it is): while the clock is below it nothing that hangs on dates is
// judged, and that is told.

import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrokerEvent } from '@motte/broker/events';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { Clock } from '@motte/broker/ports/clock';
import { replaceFile } from '@motte/broker/registry';
import { Floor, LOOK_MS } from '@motte/pki';
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
  const floor = new Floor({ path, clock, builtMs, keep: (text) => replaceFile(path, text) });
  let isBelow = false;

  const unknown = (): string | undefined => {
    const why = floor.unknown();
    return why === undefined ? undefined : `${why}: no certificate or token is judged until it is set`;
  };
  const look = async (): Promise<void> => {
    const why = unknown();
    if (isBelow !== (why !== undefined)) {
      isBelow = why !== undefined;
      const atMs = clock.nowMs();
      if (why !== undefined) told({ name: 'clock.behind', atMs, why });
      else told({ name: 'clock.right', atMs });
    }
    await floor.look();
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

function whenBuilt(): number {
  return statSync(fileURLToPath(import.meta.url)).mtimeMs;
}

const SOON_MS = 1_000;
