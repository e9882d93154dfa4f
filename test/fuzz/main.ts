// The command line of run.mjs.

import { parseArgs } from 'node:util';
import { fuzzBroker } from './live/fuzz-broker.ts';
import { fuzzInMemory } from './memory-main.ts';
import { GROWTH_BYTES_MAX, playOffences } from './refusals.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${(Date.now() % 1_000_000) * 1000}` },
    minutes: { type: 'string', default: '10' },
    connections: { type: 'string', default: '200' },
    memory: { type: 'boolean', default: false },
    offences: { type: 'boolean', default: false },
    count: { type: 'string', default: '100000' },
    once: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const minutes = Number(values.minutes);
const { once } = values;

process.exitCode = (await run()) ? 0 : 1;

function run(): Promise<boolean> {
  if (values.offences) return offend(Number(values.count));
  return values.memory ? fuzzInMemory({ seed, minutes, once }) : fuzzLive();
}

async function fuzzLive(): Promise<boolean> {
  const connections = Number(values.connections);
  const seconds = once ? 5 : minutes * 60;
  const wrong = await fuzzBroker({ seed, seconds, connections, once, say: (line) => console.log(line) });
  complain(wrong);
  console.log(wrong.length === 0 ? 'nothing was wrong' : `${wrong.length} findings; again with --seed ${seed}`);
  return wrong.length === 0;
}

async function offend(count: number): Promise<boolean> {
  const { wrong, kinds, grownBytes } = await playOffences(count);
  complain(wrong);
  console.log(`${count} offences of ${kinds} kinds: ${wrong.length} findings, memory grew by ${grownBytes} bytes`);
  return wrong.length === 0 && grownBytes <= GROWTH_BYTES_MAX;
}

function complain(wrong: readonly string[]): void {
  for (const sentence of wrong) console.log(`WRONG  ${sentence}`);
}
