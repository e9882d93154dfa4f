// Fuzzing in memory, short: some batches always the same, some never seen before. README.md says how to play one again.

import { describe, expect, it } from 'vitest';
import { playBatch } from './in-memory.ts';

const FIXED = Array.from({ length: 12 }, (_, seed) => seed);
/** From the clock, so that every run of the tests looks somewhere else. */
const FRESH = Array.from({ length: 6 }, (_, n) => (Date.now() % 1_000_000) * 1000 + n);

describe('a batch of mixed fuzzing breaks no invariant, leaves nobody stuck, and messages go through after it', () => {
  it.each([...FIXED, ...FRESH])('node test/fuzz/run.mjs --memory --once --seed %i', async (seed) => {
    expect(await playBatch(seed)).toEqual([]);
  });
});
