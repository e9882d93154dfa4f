import { describe, expect, it } from 'vitest';
import { givenNow, leftMs } from './expiry.ts';

const HOUR = 3_600_000;
/** A hundred seconds, given at the first moment of run 1. */
const MESSAGE = { expiresAtMs: 1_100_000, given: { run: 1, atMs: 5_000, seconds: 100 } };
const later = (ms: number, { setBy = 0, run = 1 } = {}) => ({
  nowMs: 1_000_000 + ms + setBy,
  monotonicMs: 5_000 + ms,
  run,
});

describe('what a message has left', () => {
  it('[MQTT-3.3.2-6] is what it was given minus the time that it waited, though the clock is set back', () => {
    for (const setBy of [0, -1, -30_000, -HOUR]) {
      expect([0, 1, 40_000, 100_000, 150_000].map((ms) => leftMs(MESSAGE, later(ms, { setBy })))).toEqual([
        100_000, 99_999, 60_000, 0, -50_000,
      ]);
    }
  });

  it('is what the clock says where that is less', () => {
    expect(leftMs(MESSAGE, later(0, { setBy: 90_000 }))).toBe(10_000);
    expect(leftMs(MESSAGE, later(0, { setBy: HOUR }))).toBeLessThan(0);
    expect(leftMs(MESSAGE, later(10_000, { setBy: HOUR - HOUR }))).toBe(90_000);
  });

  it('[MQTT-3.3.2-6] in another run of the broker is what the clock says, and never more than it was given', () => {
    expect(leftMs(MESSAGE, later(40_000, { run: 2 }))).toBe(60_000);
    expect(leftMs(MESSAGE, later(40_000, { run: 2, setBy: -HOUR }))).toBe(100_000);
    expect(leftMs({ ...MESSAGE, given: undefined }, later(40_000))).toBe(60_000);
  });

  it('has no end where it does not expire', () => {
    expect(leftMs({ expiresAtMs: 0, given: undefined }, later(HOUR))).toBe(Number.POSITIVE_INFINITY);
  });

  it('begins with whole milliseconds', () => {
    expect(givenNow({ nowMs: 1, monotonicMs: 5.75, run: 3 }, 10)).toEqual({ run: 3, atMs: 5, seconds: 10 });
  });
});
