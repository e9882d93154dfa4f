// Which devices have to renew soon, or should have: by their latest certificate, unless that was revoked.

import { ENDING_PAGE, RENEW_OPEN } from '../limits.ts';
import type { EndingDevices } from '../protocol/results.ts';
import type { Ledger } from './ledger.ts';

/** Those whose certificate ends within so many days; who is past the end so long that nobody renews is left out. */
export function endingDevices(
  ledger: Ledger,
  isRevoked: (serial: string) => boolean,
  days: number,
  nowMs: number,
): EndingDevices {
  const ending = ledger.deviceNames.flatMap((name) => {
    const latest = ledger.device(name)?.at(-1);
    if (latest === undefined || isRevoked(latest.serial)) return [];
    const leftMs = Date.parse(latest.notAfter) - nowMs;
    return leftMs < days * DAY_MS && leftMs > -RENEW_OPEN.pastEndMs ? [{ name, notAfter: latest.notAfter }] : [];
  });
  ending.sort((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter));
  return { count: ending.length, devices: ending.slice(0, ENDING_PAGE) };
}

const DAY_MS = 86_400_000;
