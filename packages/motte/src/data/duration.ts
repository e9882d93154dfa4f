// Times as people type them: 90s, 10m, 24h, 7d.

import { MotteError } from '@motte/admin/errors';

/** Seconds; MOT-0002 with the option's name for anything else. */
export function parseDuration(text: string, option: string): number {
  const [, digits, unit] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(digits) * (UNITS.get(unit ?? '') ?? Number.NaN);
  if (!Number.isSafeInteger(seconds)) throw new MotteError('MOT-0002', `${option} takes a time such as 10m, 24h or 7d`);
  return seconds;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
]);
