import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadline, DeadlineWheel } from './deadline-wheel.ts';

const YEAR_MS = 365 * 24 * 3600 * 1000;

function wheel(nowMs = 0, buckets = 8): { deadlines: DeadlineWheel; log: string[]; make: (name: string) => Deadline } {
  const log: string[] = [];
  return {
    deadlines: new DeadlineWheel({ granularityMs: 100, nowMs, buckets }),
    log,
    make: (name) => new Deadline((now) => log.push(`${name}@${now}`)),
  };
}

describe('DeadlineWheel', () => {
  it('lets nothing come due early and nothing later than one step of its granularity', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 50 }),
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 40 }),
        (dues, steps) => {
          const deadlines = new DeadlineWheel({ granularityMs: 100, nowMs: 0, buckets: 8 });
          let now = 0;
          const fired = new Map<number, number>();
          dues.forEach((due, i) => {
            deadlines.set(new Deadline((at) => fired.set(i, at)), due);
          });
          for (const step of steps) {
            now += step;
            deadlines.advance(now);
            dues.forEach((due, i) => {
              if (fired.has(i)) expect(fired.get(i)).toBeGreaterThanOrEqual(due);
              else expect(Math.max(100, Math.ceil(due / 100) * 100)).toBeGreaterThan(now);
            });
          }
          expect(deadlines.size).toBe(dues.length - fired.size);
        },
      ),
    );
  });

  it('calls in order of time, also after a long pause', () => {
    const { deadlines, log, make } = wheel();
    deadlines.set(make('c'), 3000);
    deadlines.set(make('a'), 120);
    deadlines.set(make('b'), 2500);
    expect(deadlines.advance(10_000)).toBe(3);
    expect(log).toEqual(['a@10000', 'b@10000', 'c@10000']);
  });

  it('cancels and moves without leaving anything behind', () => {
    const { deadlines, log, make } = wheel();
    const many = Array.from({ length: 100 }, (_, i) => make(`d${i}`));
    for (const deadline of many) deadlines.set(deadline, 400);
    for (const deadline of many.slice(1)) deadlines.cancel(deadline);
    deadlines.cancel(many[5] as Deadline);
    expect(deadlines.size).toBe(1);
    deadlines.set(many[0] as Deadline, 900);
    expect(deadlines.advance(500)).toBe(0);
    expect(deadlines.advance(900)).toBe(1);
    expect(log).toEqual(['d0@900']);
    expect((many[0] as Deadline).isSet).toBe(false);
  });

  it('keeps what lies years ahead, and what never comes is not kept', () => {
    const { deadlines, log, make } = wheel(1_700_000_000_000, 512);
    deadlines.set(make('far'), 1_700_000_000_000 + 30 * YEAR_MS);
    const never = make('never');
    deadlines.set(never, Number.POSITIVE_INFINITY);
    expect(never.isSet).toBe(false);
    for (let day = 1; day <= 30; day++) deadlines.advance(1_700_000_000_000 + day * 86_400_000);
    expect(log).toEqual([]);
    deadlines.advance(1_700_000_000_000 + 30 * YEAR_MS + 100);
    expect(log).toHaveLength(1);
  });

  it('a deadline may set itself, cancel another that is due with it, and set one in the past', () => {
    const deadlines = new DeadlineWheel({ granularityMs: 100, nowMs: 0 });
    let rounds = 0;
    const other = new Deadline(() => expect.fail('it was cancelled'));
    const self: Deadline = new Deadline((now) => {
      rounds += 1;
      deadlines.cancel(other);
      if (rounds < 3) deadlines.set(self, now - 50);
    });
    deadlines.set(self, 100);
    deadlines.set(other, 100);
    expect(deadlines.advance(100)).toBe(1);
    expect(deadlines.advance(150)).toBe(0);
    expect(deadlines.advance(200)).toBe(1);
    expect(deadlines.advance(1000)).toBe(1);
    expect(deadlines.size).toBe(0);
  });

  it('one that throws does not take those due with it along', () => {
    const { deadlines, log, make } = wheel();
    deadlines.set(
      new Deadline(() => {
        throw new Error('broken');
      }),
      100,
    );
    deadlines.set(make('next'), 200);
    expect(() => deadlines.advance(300)).toThrow('broken');
    expect(deadlines.size).toBe(1);
    deadlines.advance(400);
    expect(log).toEqual(['next@400']);
  });

  it('does nothing when the clock went back', () => {
    const { deadlines, log, make } = wheel(10_000);
    deadlines.set(make('a'), 10_500);
    expect(deadlines.advance(5_000)).toBe(0);
    expect(deadlines.advance(10_500)).toBe(1);
    expect(log).toEqual(['a@10500']);
  });
});
