// node test/kill/run.mjs: 200 kills in a row, with the ledger of what was acknowledged and what arrived.

import { parseArgs } from 'node:util';
import { killAgainAndAgain } from './kill-run.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
console.log(`seed ${values.seed}, ${values.kills} kills`);
try {
  const { kills, sent, acknowledged, arrived, startMs } = await killAgainAndAgain({
    kills: Number(values.kills),
    seed: Number(values.seed),
    say: (line) => console.log(line),
  });
  console.log(
    `${kills} kills: ${sent} messages sent, ${acknowledged} acknowledged, ${arrived} arrivals; 0 lost, 0 QoS 2 duplicates; ` +
      `a start took ${Math.round(startMs.median)} ms (median), ${Math.round(startMs.longest)} ms (longest)`,
  );
} catch (fault) {
  console.log(`WRONG ${(fault as Error).message}`);
  process.exitCode = 1;
}
