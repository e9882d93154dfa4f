// The runner's command line.
import { parseArgs } from 'node:util';

export const HELP = `Usage: node bench/run.mjs [options]

  --only REGEX        only scenarios whose "id transport" matches, e.g. 'pairs-qos1 tls' or '^paced'
  --brokers A,B       modules of bench/brokers (default: mosquitto,aedes,motte; those not there are left out)
  --rounds N          times everything is measured; tables show medians (default: 3)
  --long              also the scenarios with 10,000 clients, 100,000 subscriptions, 1,000,000 retained topics
  --quick             short runs, one round: shows that everything works, its figures mean nothing
  --mosquitto PATH    program to measure (default: MOSQUITTO in the environment, or the one on the path)
  --out FILE          where the Markdown report goes (default: bench/RESULTS.md, without --only and --quick)
  --json FILE         every single measurement
  --with FILE         what an earlier run wrote with --json, for the scenarios that this one does not measure
  --list              print the scenarios and end
`;

/**
 * @typedef {object} Options
 * @property {RegExp} only
 * @property {string[]} brokers
 * @property {number} rounds
 * @property {boolean} long
 * @property {boolean} quick
 * @property {boolean} list
 * @property {boolean} help
 * @property {string | undefined} out
 * @property {string | undefined} json
 * @property {string | undefined} earlier
 */

/**
 * Throws a TypeError that says what is wrong.
 * @param {string[]} parameters
 * @param {string} resultsFile where a complete run reports to
 * @returns {Options}
 */
export function parseOptions(parameters, resultsFile) {
  const { values } = parseArgs({
    args: parameters,
    options: {
      only: { type: 'string' },
      brokers: { type: 'string', default: 'mosquitto,aedes,motte' },
      rounds: { type: 'string' },
      long: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      mosquitto: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'string' },
      with: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds: not a positive whole number: ${values.rounds}`);
  if (values.mosquitto !== undefined) process.env.MOSQUITTO = values.mosquitto;
  const complete = values.only === undefined && !values.quick;
  return {
    only: new RegExp(values.only ?? ''),
    brokers: values.brokers.split(','),
    rounds,
    long: values.long,
    quick: values.quick,
    list: values.list,
    help: values.help,
    out: values.out ?? (complete ? resultsFile : undefined),
    json: values.json,
    earlier: values.with,
  };
}
