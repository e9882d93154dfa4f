import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTicketRotation } from './ticket-rotation.ts';

const HOUR_MS = 3_600_000;

describe('new keys for session tickets', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function start(chance: number) {
    const rotated: number[] = [];
    const state = { underWay: 0 };
    const end = startTicketRotation({
      rotate: () => rotated.push(Date.now()),
      underWay: () => state.underWay,
      chance: () => chance,
    });
    return { rotated, state, end };
  }

  it.each([
    [0, 20],
    [0.5, 24],
    [0.999, 28],
  ])('come once a day at an hour that chance decides: %s is hour %s', (chance, hour) => {
    const { rotated, end } = start(chance);
    vi.advanceTimersByTime((hour - 0.1) * HOUR_MS);
    expect(rotated).toHaveLength(0);
    vi.advanceTimersByTime(0.1 * HOUR_MS);
    expect(rotated).toHaveLength(1);
    vi.advanceTimersByTime(hour * HOUR_MS);
    expect(rotated).toHaveLength(2);
    end();
    vi.advanceTimersByTime(100 * HOUR_MS);
    expect(rotated).toHaveLength(2);
  });

  it('wait while many handshakes are under way, and come when they are over', () => {
    const { rotated, state, end } = start(0);
    state.underWay = 33;
    vi.advanceTimersByTime(21 * HOUR_MS);
    expect(rotated).toHaveLength(0);
    state.underWay = 32;
    vi.advanceTimersByTime(600_000);
    expect(rotated).toHaveLength(1);
    end();
  });

  it('do not wait for ever: handshakes that never cease keep no key', () => {
    const { rotated, state, end } = start(0);
    state.underWay = 1_000;
    vi.advanceTimersByTime(43.9 * HOUR_MS);
    expect(rotated).toHaveLength(0);
    vi.advanceTimersByTime(0.2 * HOUR_MS);
    expect(rotated).toHaveLength(1);
    end();
  });
});
