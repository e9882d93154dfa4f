// The kill ledger, short. The long form: node test/kill/run.mjs, see README.md.

import { expect, it } from 'vitest';
import { killAgainAndAgain } from './kill-run.ts';

it('a broker that is killed five times loses nothing it acknowledged and delivers no QoS 2 message twice', {
  timeout: 120_000,
}, async () => {
  const { acknowledged, arrived } = await killAgainAndAgain({
    kills: 5,
    seed: Date.now() % 1_000_000,
    say: () => undefined,
  });
  expect(acknowledged).toBeGreaterThan(50);
  expect(arrived).toBeGreaterThan(50);
});
