// How much of its Message Expiry Interval a message has left (3.3.2.3.3). The wall clock counts the time that the broker was down,
// and may be set back or forth; what passed while it runs is known from a clock that nobody sets. The smaller of the two holds, and
// never more than the publisher gave.

import type { Given, Message } from '../ports/message.ts';

/** The clocks of a run of the broker, as of now. */
export interface Now {
  readonly nowMs: number;
  readonly monotonicMs: number;
  /** Tells this run from earlier ones, whose monotonic clock was another. */
  readonly run: number;
}

/** What is remembered of a message that comes now with so many seconds. */
export function givenNow({ run, monotonicMs }: Now, seconds: number): Given {
  return { run, atMs: Math.floor(monotonicMs), seconds };
}

/** Milliseconds; 0 or less = it is over, infinity = it does not expire. */
export function leftMs({ expiresAtMs, given }: Pick<Message, 'expiresAtMs' | 'given'>, now: Now): number {
  if (expiresAtMs === 0) return Number.POSITIVE_INFINITY;
  const byWallMs = expiresAtMs - now.nowMs;
  if (given === undefined) return byWallMs;
  const waitedMs = given.run === now.run ? now.monotonicMs - given.atMs : 0;
  return Math.min(byWallMs, given.seconds * 1000 - waitedMs);
}
