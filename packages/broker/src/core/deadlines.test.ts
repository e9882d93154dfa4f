import { describe, expect, it } from 'vitest';
import { Deadlines } from './deadlines.ts';

describe('Deadlines', () => {
  it('keeps one deadline per name, and none of a name that is done', () => {
    const deadlines = new Deadlines(0, 100);
    const log: string[] = [];
    deadlines.set('a', 100, () => log.push('first'));
    deadlines.set('a', 300, (now) => log.push(`second@${now}`));
    deadlines.set('b', 200, () => log.push('b'));
    deadlines.set('never', Number.POSITIVE_INFINITY, () => log.push('never'));
    expect(deadlines.size).toBe(2);
    deadlines.cancel('b');
    deadlines.cancel('unknown');
    expect(deadlines.advance(1000)).toBe(1);
    expect(log).toEqual(['second@1000']);
    expect(deadlines.size).toBe(0);
  });

  it('a name may set itself again when it is due', () => {
    const deadlines = new Deadlines(0, 100);
    let rounds = 0;
    const again = (now: number): void => {
      rounds += 1;
      if (rounds < 3) deadlines.set('a', now + 100, again);
    };
    deadlines.set('a', 100, again);
    for (let now = 100; now <= 1000; now += 100) deadlines.advance(now);
    expect(rounds).toBe(3);
    expect(deadlines.size).toBe(0);
  });
});
