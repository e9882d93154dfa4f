// node test/sim/run.mjs: thousands of seeds, or one again.

import { parseArgs } from 'node:util';
import { simulate } from './world.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, seeds: { type: 'string', default: '5000' } },
});
const first = Number(values.seed);
const seeds = Number(values.seeds);
const startedAt = Date.now();
const total = { steps: 0, crashes: 0, sent: 0, acknowledged: 0, arrived: 0, givenUp: 0 };
let failed = 0;
for (let seed = first; seed < first + seeds && failed < 10; seed++) {
  try {
    const outcome = await simulate(seed);
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += outcome[name];
  } catch (fault) {
    failed += 1;
    console.log(`WRONG ${(fault as Error).message}`);
    console.log(`  again: node test/sim/run.mjs --seed ${seed} --seeds 1`);
    if (seeds === 1) console.log((fault as Error).cause);
  }
}
const { steps, crashes, sent, acknowledged, arrived, givenUp } = total;
console.log(
  `seeds ${first} to ${first + seeds - 1}: ${steps} steps, ${crashes} crashes, ${sent} messages sent, ` +
    `${acknowledged} acknowledged, ${arrived} arrivals, ${givenUp} given up for full queues, ${Math.round((Date.now() - startedAt) / 1000)} s`,
);
console.log(failed === 0 ? 'nothing was wrong' : `${failed} seeds went wrong`);
process.exitCode = failed === 0 ? 0 : 1;
