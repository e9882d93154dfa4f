// node bench/policies.mjs: how long the largest policies hold the event loop of a broker that applies them, and what they cost
// altogether; judged in a thread, as a broker does, and in the same one, as a command does. It is CPU time, which other programs do
// not change much, of Linux. It measures; it never fails.

import { readFileSync } from 'node:fs';
import { judgeHere } from '../packages/motte/dist/policy/judge.js';
import { judgeInThread } from '../packages/motte/dist/policy/judge-thread.js';
import { createPolicies } from '../packages/motte/dist/policy/policies.js';

const ROUNDS = 5;

/** @param {number} length @param {(i: number) => string} line */
const lines = (length, line) => Array.from({ length }, (_, i) => `${line(i)}\n`).join('');

/** Each at a limit of its own: 10,000 rules, 5,000 tests, 20,000 members. */
const POLICIES = {
  'none, beside which the others are read': `roles: { r: [allow publish a] }\ntests: [x may publish a as r]\n`,
  '500 rules, 100 tests': `roles:\n  r:\n${lines(500, (i) => `    - allow publish plant/machine-${i}/up/#`)}tests:\n${lines(
    100,
    (i) => `  - pump-${i} may publish plant/machine-${i}/up/x as r`,
  )}`,
  '10,000 rules in 20 roles, 5,000 tests': `roles:\n${lines(
    20,
    (r) => `  r${r}:\n${lines(500, (i) => `    - allow publish plant/line-${r}/machine-${i}/up/# qos<=1`)}`,
  )}tests:\n${lines(5_000, (i) => `  - pump-${i} may publish plant/line-${i % 20}/machine-${i % 500}/up/x as r${i % 20}`)}`,
  '10,000 rules for one filter, 5,000 tests': `roles:\n  r:\n${lines(
    10_000,
    (i) => `    - allow publish a/+ from 10.0.${i >> 8}.${i & 255}`,
  )}tests:\n${lines(5_000, (i) => `  - pump-${i} may publish a/${i} from 10.0.39.7 as r`)}`,
  '10,000 mistakes': `roles:\n  r:\n${lines(10_000, (i) => `    - allow publish a/${i}/#/b`)}`,
  '20,000 members': `roles: { r: [allow publish a] }\ngroups:\n  g:\n    roles: [r]\n    members:\n${lines(20_000, (i) => `      - pump-${i}`)}`,
};

/** @param {string} text @param {typeof judgeHere} judge */
async function measure(text, judge) {
  const figures = [];
  for (let round = 0; round < ROUNDS; round++) {
    const policies = createPolicies({
      history: { policies: [], append: async (policy) => ({ ...policy, version: 1 }) },
      directory: { find: () => undefined, list: () => [] },
      listeners: () => [],
      use: async () => ({ subscriptions: 0, connections: 0 }),
      judge,
      told: () => {},
    });
    const turns = watchTurns();
    await turns.oneMore();
    const begin = process.cpuUsage();
    await policies.apply({ text, file: 'p.yaml', by: 'bench', why: '', strict: false }).catch((fault) => {
      if (fault.code !== 'MOT-0902') throw fault;
    });
    const { user, system } = process.cpuUsage(begin);
    await turns.oneMore();
    figures.push({ wholeMs: (user + system) / 1_000, turnMs: turns.end() });
  }
  const median = (/** @type {number[]} */ all) =>
    all
      .sort((a, b) => a - b)
      [Math.floor(ROUNDS / 2)].toFixed(0)
      .padStart(8);
  return `${median(figures.map(({ turnMs }) => turnMs))} ms ${median(figures.map(({ wholeMs }) => wholeMs))} ms`;
}

/** The CPU time that this thread takes from one look to the next. */
function watchTurns() {
  let longestNs = 0;
  let lastNs = threadNs();
  const look = () => {
    const nowNs = threadNs();
    longestNs = Math.max(longestNs, nowNs - lastNs);
    lastNs = nowNs;
  };
  const timer = setInterval(look, 1);
  return {
    oneMore: () => new Promise((resolve) => setTimeout(() => resolve(look()), 10)),
    end: () => (clearInterval(timer), longestNs / 1e6),
  };
}

/** Of the main thread, whose number is the process's. */
function threadNs() {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]);
}

console.log(`applying a policy, median of ${ROUNDS} rounds: the longest turn of the event loop, and all of it`);
console.log(`${''.padEnd(44)}${'in a thread'.padStart(24)}${'in the same one'.padStart(24)}`);
for (const [what, text] of Object.entries(POLICIES)) {
  console.log(`${what.padEnd(44)} ${await measure(text, judgeInThread())} ${await measure(text, judgeHere)}`);
}
