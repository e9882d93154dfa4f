// From measurements to medians, ratios and verdicts. A ratio is the median of the rounds' ratios: both sides of each were
// measured one right after the other, so what disturbs the machine for a while disturbs both.
import { METRICS } from '../scenarios.mjs';

/** Above this share of one core the generator, not the broker, limits the throughput. */
export const GENERATOR_BUSY_MAX = 0.7;

/** Share of one core that others may use before a figure is called disturbed; ours is not accounted to the last tick. */
const OTHERS_BUSY_MAX = 0.2;

/** Paced: later than this behind its own schedule the generator no longer offers the load it claims to. */
const GENERATOR_LAG_MAX_US = 500;

/**
 * One scenario over one transport: per broker one measurement a round.
 * @typedef {{scenario: import('../scenarios.mjs').Scenario, transport: 'tcp' | 'tls',
 *   rounds: Record<string, import('./generator.mjs').Measurement[]>}} Outcome
 *
 * @typedef {{metric: string, target: string, reached: string, verdict: 'met' | 'missed' | 'not counted' | 'not measured'}} Verdict
 */

/** @param {number[]} values @returns {number | undefined} */
export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return undefined;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {Outcome} outcome
 * @param {string} broker
 * @param {string} field of the generator's JSON line
 */
export function medianOf(outcome, broker, field) {
  return median((outcome.rounds[broker] ?? []).map((measurement) => measurement[field]));
}

/**
 * @param {Outcome} outcome
 * @param {string} broker
 * @param {Outcome | undefined} baseOutcome
 * @param {string} baseBroker
 * @param {string} field
 */
export function ratioOf(outcome, broker, baseOutcome, baseBroker, field) {
  const base = baseOutcome?.rounds[baseBroker] ?? [];
  const ratios = (outcome.rounds[broker] ?? []).map((measurement, round) => measurement[field] / base[round]?.[field]);
  return median(ratios);
}

/**
 * Lines for what a reader must know before believing a row: failures, losses, disorder.
 * @param {Outcome} outcome
 * @param {string} broker
 */
export function remarksOf(outcome, broker) {
  const rounds = outcome.rounds[broker] ?? [];
  const remarks = new Set(rounds.flatMap(({ failure }) => (failure === undefined ? [] : [failure])));
  for (const field of ['lost', 'misordered']) {
    const worst = Math.max(0, ...rounds.map((measurement) => measurement[field] ?? 0));
    if (worst) remarks.add(`${worst} ${field}`);
  }
  const disturbed = median(rounds.map((measurement) => measurement.other_busy ?? measurement.connect_other_busy));
  if (disturbed !== undefined && disturbed > OTHERS_BUSY_MAX) {
    remarks.add(`other processes took ${Math.round(disturbed * 100)} % of a core: measure again on a quiet machine`);
  }
  const lag = median(rounds.map((measurement) => measurement.lag_p99_us));
  if (lag !== undefined && lag > GENERATOR_LAG_MAX_US)
    remarks.add(`the generator itself was ${Math.round(lag)} µs late (p99)`);
  const partly = outcome.scenario.load.resume && rounds.some(({ resumed, connections }) => resumed < connections);
  if (partly) remarks.add('not all handshakes were resumed');
  return [...remarks];
}

/**
 * @param {Outcome} outcome
 * @param {import('../scenarios.mjs').Target} target
 * @param {{broker: string, outcomes: Outcome[], mosquittoVersion: string | undefined}} context
 * @returns {Verdict}
 */
export function judge(outcome, target, { broker, outcomes, mosquittoVersion }) {
  const max = mosquittoVersion?.startsWith('2.0.') ? (target.max20 ?? target.max) : target.max;
  const limit = target.min ?? max ?? Number.NaN;
  const sign = target.min === undefined ? '≤' : '≥';
  const ofWhat = { absolute: '', mosquitto: ' × mosquitto' }[target.against] ?? ` × ${target.against}`;
  const metric = METRICS[target.metric].title;
  const description = `${sign} ${limit}${ofWhat}`;

  const value = valueFor(outcome, target, broker, outcomes);
  if (value === undefined) return { metric, target: description, reached: '–', verdict: 'not measured' };
  const reached = value.toFixed(target.against === 'absolute' ? 0 : 2);
  if (target.metric === 'rate' && isGeneratorBound(outcome, broker)) {
    return { metric, target: description, reached, verdict: 'not counted' };
  }
  const met = target.min === undefined ? value <= limit : value >= limit;
  return { metric, target: description, reached, verdict: met ? 'met' : 'missed' };
}

/**
 * @param {Outcome} outcome
 * @param {import('../scenarios.mjs').Target} target
 * @param {string} broker
 * @param {Outcome[]} outcomes
 */
function valueFor(outcome, target, broker, outcomes) {
  if (target.against === 'absolute') return medianOf(outcome, broker, target.metric);
  if (target.against === 'mosquitto') return ratioOf(outcome, broker, outcome, 'mosquitto', target.metric);
  const base = outcomes.find(
    ({ scenario, transport }) => scenario.id === target.against && transport === outcome.transport,
  );
  return ratioOf(outcome, broker, base, broker, target.metric);
}

/** @param {Outcome} outcome @param {string} broker */
function isGeneratorBound(outcome, broker) {
  return [broker, 'mosquitto'].some((name) => (medianOf(outcome, name, 'load_busy') ?? 0) >= GENERATOR_BUSY_MAX);
}
