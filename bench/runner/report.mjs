// Renders outcomes: a plain table per scenario for the terminal, and the whole as Markdown.
import { METRICS } from '../scenarios.mjs';
import { judge, medianOf, ratioOf, remarksOf } from './results.mjs';

/**
 * @typedef {import('./results.mjs').Outcome} Outcome
 * @typedef {{outcomes: Outcome[], versions: Record<string, string>, machine: Record<string, string>, rounds: number,
 *   command: string}} Run
 */

/** Whose targets are judged. */
const SUBJECT = 'motte';

/** @param {number | undefined} value @param {number} digits */
function renderNumber(value, digits) {
  if (value === undefined) return '–';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number | undefined} share */
const renderShare = (share) => (share === undefined ? '–' : `${Math.round(share * 100)} %`);

/** @param {Outcome} outcome */
export const titleOf = ({ scenario, transport }) => `${scenario.title}, ${transport.toUpperCase()}`;

/**
 * Heading row and one row per broker: each metric with its ratio to mosquitto, then how busy both sides were.
 * @param {Outcome} outcome
 */
function tableOf(outcome) {
  const { metrics, load } = outcome.scenario;
  const connects = metrics.some((metric) => metric.startsWith('connect'));
  // Of a storm only the connecting is measured; whoever stays is measured while it does.
  const busy = {
    ...(load.mode === 'storm' ? {} : { 'broker busy': 'broker_busy' }),
    'generator busy': connects ? 'connect_busy' : 'load_busy',
  };
  const heading = ['broker', ...metrics.flatMap((metric) => [METRICS[metric].title, '×']), ...Object.keys(busy)];
  const rows = Object.keys(outcome.rounds).map((broker) => [
    broker,
    ...metrics.flatMap((metric) => {
      const ratio = broker === 'mosquitto' ? undefined : ratioOf(outcome, broker, outcome, 'mosquitto', metric);
      return [renderNumber(medianOf(outcome, broker, metric), METRICS[metric].digits), renderNumber(ratio, 2)];
    }),
    ...Object.values(busy).map((field) => renderShare(medianOf(outcome, broker, field))),
  ]);
  return [heading, ...rows];
}

/** @param {Outcome} outcome @param {Run} run */
function verdictsOf(outcome, { outcomes, versions }) {
  const context = { broker: SUBJECT, outcomes, mosquittoVersion: versions.mosquitto };
  return outcome.scenario.targets.map((target) => judge(outcome, target, context));
}

/** @param {Outcome} outcome */
const remarkLines = (outcome) =>
  Object.keys(outcome.rounds).flatMap((broker) => remarksOf(outcome, broker).map((remark) => `${broker}: ${remark}`));

/** @param {Outcome} outcome @param {Run} run */
export function renderText(outcome, run) {
  const table = tableOf(outcome);
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const lines = table.map((row) =>
    row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  '),
  );
  for (const { metric, target, reached, verdict } of verdictsOf(outcome, run)) {
    if (verdict !== 'not measured') lines.push(`${verdict}: ${metric} ${target}, is ${reached}`);
  }
  return [
    `\n${titleOf(outcome)}  [${outcome.scenario.id} ${outcome.transport}]`,
    ...lines,
    ...remarkLines(outcome),
    '',
  ].join('\n');
}

/** @param {string[][]} table */
function markdownTable(table) {
  const [heading, ...rows] = table.map((row) => `| ${row.join(' | ')} |`);
  const rule = `|${table[0].map((_, column) => (column ? '---:' : '---')).join('|')}|`;
  return [heading, rule, ...rows].join('\n');
}

/** @param {Run} run */
function summaryOf(run) {
  const rows = run.outcomes.flatMap((outcome) =>
    verdictsOf(outcome, run).map(({ metric, target, reached, verdict }) => [
      `\`${outcome.scenario.id}\` ${outcome.transport}`,
      metric,
      target,
      reached,
      verdict,
    ]),
  );
  return markdownTable([['scenario', 'figure', 'target', 'is', 'verdict'], ...rows]);
}

/** @param {Run} run */
export function renderMarkdown(run) {
  const facts = {
    ...run.machine,
    ...run.versions,
    Rounds: `${run.rounds}, medians shown`,
    Command: `\`${run.command.replaceAll('|', '\\|')}\``,
  };
  const sections = run.outcomes.map((outcome) => {
    const remarks = remarkLines(outcome).map((line) => `- ${line}`);
    const body = [`### ${titleOf(outcome)}`, `\`${outcome.scenario.id}\``, markdownTable(tableOf(outcome))];
    return [...body, ...(remarks.length ? [remarks.join('\n')] : [])].join('\n\n');
  });
  return `${[
    '# Benchmark results',
    'Written by `node bench/run.mjs`; `bench/README.md` tells how each figure comes about and how to get it again.',
    markdownTable([['where', 'what'], ...Object.entries(facts)]),
    '× is the ratio to mosquitto in the same round. Throughput is not counted where the generator was busy 70 % of the time or more, on either side of the ratio.',
    '## Targets',
    summaryOf(run),
    '## Figures',
    ...sections,
  ].join('\n\n')}\n`;
}
