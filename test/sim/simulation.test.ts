// The simulation, short: some seeds always the same, some never seen before. README.md says how to play one again.

import { expect, it } from 'vitest';
import { simulate } from './world.ts';

const FIXED = Array.from({ length: 100 }, (_, seed) => seed);
/** From the clock, so that every run of the tests looks somewhere else. */
const FRESH = Array.from({ length: 50 }, (_, n) => (Date.now() % 1_000_000) * 1000 + n);

it.each([...FIXED, ...FRESH])('node test/sim/run.mjs --seed %i --seeds 1', async (seed) => {
  const { steps } = await simulate(seed);
  expect(steps).toBeGreaterThan(0);
});

it('the fixed seeds see crashes, acknowledgements and deliveries', async () => {
  const outcomes = await Promise.all([simulate(1), simulate(2), simulate(3)]);
  for (const what of ['crashes', 'acknowledged', 'arrived'] as const) {
    expect(outcomes.reduce((sum, outcome) => sum + outcome[what], 0)).toBeGreaterThan(0);
  }
});
