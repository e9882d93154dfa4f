// How long two CAs are trusted beside one another, as people write it: 12h, 30d, 8w.

import { OVERLAP_MS } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';

/** Milliseconds; throws MOT-0464. */
export function parseOverlap(text: string): number {
  const [, count = '', unit = ''] = /^([1-9][0-9]{0,4})([hdw])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS.get(unit) ?? 0);
  if (ms === 0) throw new AuthorityFault('MOT-0464', JSON.stringify(text.slice(0, 40)));
  if (ms > OVERLAP_MS.max) throw new AuthorityFault('MOT-0464', `${text} is longer than two years`);
  return ms;
}

const HOUR_MS = 3_600_000;
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['h', HOUR_MS],
  ['d', 24 * HOUR_MS],
  ['w', 168 * HOUR_MS],
]);
