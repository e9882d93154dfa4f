import { expect, it } from 'vitest';
import { RateGate } from './rate-gate.ts';

it('lets a burst through, then as many as come back with time, never more than the burst', () => {
  let ms = 0;
  const gate = new RateGate({ a: { burst: 3, perMinute: 6 } }, () => ms);
  const passed = (count: number) => {
    let through = 0;
    for (let index = 0; index < count; index += 1) {
      try {
        gate.pass('a');
        through += 1;
      } catch (fault) {
        expect(fault).toMatchObject({ code: 'MOT-0427' });
      }
    }
    return through;
  };
  expect(passed(5)).toBe(3);
  ms += 9_999;
  expect(passed(2)).toBe(0);
  ms += 1;
  expect(passed(2)).toBe(1);
  ms += 3_600_000;
  expect(passed(10)).toBe(3);
  for (let index = 0; index < 100; index += 1) gate.pass('b');
});
