// node test/fuzz/run.mjs --memory: batches of stories in memory for some minutes, or one batch again by its seed.

import { BATCH_STORIES, playBatch } from './in-memory.ts';

export interface MemoryOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Play only the batch of this seed. */
  readonly once: boolean;
}

/** Prints what was found and how many stories were played; false if something was found. */
export async function fuzzInMemory({ seed, minutes, once }: MemoryOptions): Promise<boolean> {
  const until = Date.now() + minutes * 60_000;
  const startedAt = Date.now();
  let batches = 0;
  let found = 0;
  do {
    const batch = seed + batches;
    const wrong = await playBatch(batch);
    batches += 1;
    if (wrong.length === 0) continue;
    found += 1;
    console.log(`batch ${batch} (again: node test/fuzz/run.mjs --memory --once --seed ${batch})`);
    for (const sentence of new Set(wrong)) console.log(`  ${sentence}`);
  } while (!once && Date.now() < until && found < 20);
  const seconds = (Date.now() - startedAt) / 1000;
  const stories = batches * BATCH_STORIES;
  console.log(
    `${stories} connections in ${batches} batches from seed ${seed}, ${Math.round(stories / seconds)} a second: ${found} batches with findings`,
  );
  return found === 0;
}
