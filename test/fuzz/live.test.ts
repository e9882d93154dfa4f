// Fuzzing of the installed program over sockets, short; `node test/fuzz/run.mjs` does it for ten minutes.

import { expect, it } from 'vitest';
import { fuzzBroker } from './live/fuzz-broker.ts';

it('15 seconds of mixed fuzzing over 200 connections: no crash, no stuck connection, flat memory, nobody else disturbed', {
  timeout: 120_000,
}, async () => {
  const seed = (Date.now() % 1_000_000) * 1000;
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const wrong = await fuzzBroker({ seed, seconds: 15, connections: 200, say });
  expect(wrong, `node test/fuzz/run.mjs --minutes 0.25 --seed ${seed}\n${said.join('\n')}`).toEqual([]);
});
