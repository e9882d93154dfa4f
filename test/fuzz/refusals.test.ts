// Offences in number, short; `node test/fuzz/run.mjs --offences` plays 100,000.

import { expect, it } from 'vitest';
import { GROWTH_BYTES_MAX, playOffences } from './refusals.ts';

it('[MQTT-4.13.1-1] each of 10,000 offences ends its own connection, is answered rightly, logged once, and leaves nothing', {
  timeout: 60_000,
}, async () => {
  const { wrong, kinds, grownBytes } = await playOffences(10_000);
  expect(wrong).toEqual([]);
  expect(kinds).toBeGreaterThan(200);
  expect(grownBytes).toBeLessThan(GROWTH_BYTES_MAX);
});
