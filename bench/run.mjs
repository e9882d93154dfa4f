// Measures brokers side by side: for every scenario, round and broker a fresh broker, one run of the generator, and the
// broker is gone again. Prints a table per scenario and writes the report.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificates } from './runner/certificates.mjs';
import { compileGenerator, runGenerator } from './runner/generator.mjs';
import { describeMachine } from './runner/machine.mjs';
import { HELP, parseOptions } from './runner/options.mjs';
import { renderMarkdown, renderText, titleOf } from './runner/report.mjs';
import { SCENARIOS, shorten } from './scenarios.mjs';

const RESULTS = fileURLToPath(new URL('./RESULTS.md', import.meta.url));

/**
 * @typedef {import('./brokers/broker.mjs').Broker} Broker
 * @typedef {import('./runner/generator.mjs').Measurement} Measurement
 * @typedef {{scenario: import('./scenarios.mjs').Scenario, transport: 'tcp' | 'tls'}} Case
 */

/**
 * @param {import('./runner/options.mjs').Options} options
 * @returns {Case[]}
 */
function selectCases({ only, long, quick }) {
  return SCENARIOS.filter((scenario) => long || !scenario.long)
    .map((scenario) => (quick ? shorten(scenario) : scenario))
    .flatMap((scenario) => scenario.transports.map((transport) => ({ scenario, transport })))
    .filter(({ scenario, transport }) => only.test(`${scenario.id} ${transport}`));
}

/** @param {string[]} names @returns {Promise<Broker[]>} those that are there */
async function findBrokers(names) {
  const brokers = [];
  for (const name of names) {
    const { broker } = await import(`./brokers/${name}.mjs`);
    if (broker.version() === undefined) console.error(`bench: ${name} is not installed or not built: left out`);
    else brokers.push(broker);
  }
  return brokers;
}

/**
 * @param {Broker} broker
 * @param {Case} subject
 * @param {{directory: string, certificates: import('./runner/certificates.mjs').Certificates}} place
 * @returns {Promise<Measurement>}
 */
async function measure(broker, { scenario, transport }, { directory, certificates }) {
  const own = join(directory, 'broker');
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own);
  try {
    const running = await broker.start({ directory: own, certificates, persistence: scenario.persistence ?? false });
    active.add(running);
    try {
      return await runGenerator(running, { transport, load: scenario.load });
    } finally {
      active.delete(running);
      await running.stop();
    }
  } catch (fault) {
    return /** @type {Measurement} */ ({ failure: fault instanceof Error ? fault.message : String(fault) });
  }
}

/** @param {Case} a @param {Case} b */
const isSame = (a, b) => a.scenario.id === b.scenario.id && a.transport === b.transport;

/** In the order of the scenarios. @param {import('./runner/results.mjs').Outcome[]} outcomes */
function inOrder(outcomes) {
  const place = (/** @type {Case} */ { scenario }) => SCENARIOS.findIndex(({ id }) => id === scenario.id);
  return outcomes.sort((a, b) => place(a) - place(b) || a.transport.localeCompare(b.transport));
}

/** The command without where its files lay. @param {string[]} parameters */
function commandOf(parameters) {
  const files = ['--json', '--with', '--out'];
  const kept = parameters.filter((one, at) => !files.includes(one) && !files.includes(parameters[at - 1] ?? ''));
  return ['node bench/run.mjs', ...kept].join(' ');
}

/** Brokers to stop when the run is interrupted. @type {Set<import('./brokers/broker.mjs').RunningBroker>} */
const active = new Set();

/** @param {import('./runner/options.mjs').Options} options */
async function run(options) {
  const cases = selectCases(options);
  if (options.list) {
    for (const subject of cases)
      console.log(`${subject.scenario.id} ${subject.transport}\t${titleOf({ ...subject, rounds: {} })}`);
    return;
  }
  compileGenerator();
  const brokers = await findBrokers(options.brokers);
  const directory = mkdtempSync(join(tmpdir(), 'motte-bench-'));
  const end = async () => {
    await Promise.all([...active].map((running) => running.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end().then(() => process.exit(130)));

  const certificates = makeCertificates(directory);
  const earlier = options.earlier === undefined ? undefined : JSON.parse(readFileSync(options.earlier, 'utf8'));
  const report = {
    /** @type {import('./runner/results.mjs').Outcome[]} */
    outcomes: earlier?.outcomes ?? [],
    versions: Object.fromEntries(brokers.map((broker) => [broker.name, /** @type {string} */ (broker.version())])),
    machine: describeMachine(),
    rounds: options.rounds,
    command: [...(earlier === undefined ? [] : [earlier.command]), commandOf(process.argv.slice(2))].join('; then '),
  };
  for (const subject of cases) {
    /** @type {Record<string, Measurement[]>} */
    const rounds = Object.fromEntries(brokers.map(({ name }) => [name, []]));
    for (let round = 0; round < options.rounds; round++) {
      for (const broker of brokers)
        rounds[broker.name].push(await measure(broker, subject, { directory, certificates }));
    }
    const outcome = { ...subject, rounds };
    report.outcomes = inOrder([...report.outcomes.filter((one) => !isSame(one, outcome)), outcome]);
    console.log(renderText(outcome, report));
    // Kept from scenario to scenario: a long run that is interrupted has not been for nothing.
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 1)}\n`);
  }
  await end();
  if (options.out === undefined) return;
  writeFileSync(options.out, renderMarkdown(report));
  console.log(`bench: wrote ${relative(process.cwd(), options.out)}`);
}

try {
  const options = parseOptions(process.argv.slice(2), RESULTS);
  if (options.help) console.log(HELP);
  else await run(options);
} catch (fault) {
  const usage = fault instanceof TypeError || fault instanceof SyntaxError;
  console.error(`bench: ${fault instanceof Error ? fault.message : fault}`);
  process.exitCode = usage ? 2 : 1;
}
