// Times as people type them: 90s, 10m, 24h, 7d.

import { MotteError } from '@motte/admin/errors';

/** The shortest and the longest time that an option takes, in seconds. */
export interface DurationRange {
  readonly min: number;
  readonly max: number;
}

/** Seconds; MOT-0002 with the option's name for anything else, and for what is out of range. */
export function parseDuration(text: string, option: string, range?: DurationRange): number {
  const [, digits, unit] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(digits) * (UNITS.get(unit ?? '') ?? Number.NaN);
  if (!Number.isSafeInteger(seconds)) throw new MotteError('MOT-0002', `${option} takes a time such as 10m, 24h or 7d`);
  if (range !== undefined && (seconds < range.min || seconds > range.max))
    throw new MotteError('MOT-0002', `${option} takes ${durationText(range.min)} to ${durationText(range.max)}`);
  return seconds;
}

/** As it would be typed, in the largest unit that leaves nothing over. */
function durationText(seconds: number): string {
  const [unit, each] = [...UNITS].reverse().find(([, one]) => seconds % one === 0) ?? ['s', 1];
  return `${seconds / each}${unit}`;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
]);
