// node bench/decisions.mjs: how long access takes to answer, in this process and without a broker around it: a publish that was asked
// before, the first one for a topic, and what a route asks of a subscriber. One role with a thousand rules. It measures; it never fails.

import { createAccess } from '../packages/broker/dist/access/access.js';
import { policyOf, roleOf } from '../packages/broker/dist/access/policy.js';
import { manyRules } from './brokers/many-rules.mjs';

const RULES = 1_000;
const ROUNDS = 5;
/** Targets in µs. */
const CACHED_US = 0.2;
const FIRST_US = 5;

const rules = manyRules(RULES);
const access = createAccess(policyOf([roleOf('bench', rules)]));
const identity = { realm: 'ca:motte', name: 'machine-7', kind: 'device', roles: ['bench'] };
const listener = { name: 'devices', scheme: 'mqtts', authentication: 'certificate', role: undefined, clientIds: 'own' };
const subject = { identity, clientId: 'machine-7', facts: { listener, address: '127.0.0.1' } };
const carrier = { payload: new Uint8Array(0) };

/** Topics that have not been asked for: half of machines that rules name, half of none. */
let serial = 0;
const freshTopic = () => {
  serial += 1;
  return `plant/line-${serial % 40}/machine-${serial % 500}/${serial % 2 === 0 ? 'up' : 'aside'}/sensor-${serial}`;
};

/** @param {string} what @param {number} target @param {() => (count: number) => void} prepare @param {number} count */
function measure(what, target, prepare, count) {
  const figures = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const run = prepare();
    const begin = process.hrtime.bigint();
    run(count);
    figures.push(Number(process.hrtime.bigint() - begin) / count / 1000);
  }
  // The first round warms the code up.
  const median = figures.slice(1).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
  const verdict = median <= target ? 'reached' : 'missed';
  console.log(`${what.padEnd(52)} ${median.toFixed(3).padStart(8)} µs   at most ${target} µs is wanted: ${verdict}`);
}

console.log(`access with ${rules.length} rules in one role, median of ${ROUNDS} rounds`);
measure(
  'publish, asked before (100 topics in turn)',
  CACHED_US,
  () => {
    const rights = access.rightsOf(subject);
    const topics = Array.from({ length: 100 }, freshTopic);
    return (count) => {
      for (let n = 0; n < count; n++) access.publish(rights, topics[n % 100], 1, false, carrier);
    };
  },
  3_000_000,
);
measure(
  'publish, the first time for a topic',
  FIRST_US,
  () => {
    const rights = access.rightsOf(subject);
    const topics = Array.from({ length: 100_000 }, freshTopic);
    return (count) => {
      for (let n = 0; n < count; n++) access.publish(rights, topics[n], 1, false, carrier);
    };
  },
  100_000,
);
measure(
  'receive, once for each route',
  FIRST_US,
  () => {
    const rights = access.rightsOf(subject);
    const topics = Array.from({ length: 100_000 }, freshTopic);
    return (count) => {
      for (let n = 0; n < count; n++) access.receive(rights, topics[n]);
    };
  },
  100_000,
);
measure(
  'subscribe, a filter with a wildcard',
  FIRST_US,
  () => {
    const rights = access.rightsOf(subject);
    const filters = Array.from({ length: 10_000 }, (_, n) => `plant/line-${n % 40}/machine-${n % 500}/down/+`);
    return (count) => {
      for (let n = 0; n < count; n++) access.subscribe(rights, filters[n]);
    };
  },
  10_000,
);
