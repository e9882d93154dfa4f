// Compiles bench/load.c and runs it once per measurement.
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BENCH = fileURLToPath(new URL('..', import.meta.url));
const PROGRAM = join(BENCH, 'build/load');
const MAX_SECONDS = 120;

/**
 * The generator's JSON line, see bench/README.md, or why there is none.
 * @typedef {Record<string, number> & {failure?: string}} Measurement
 */

/** Throws with the compiler's words when there is no compiler or no OpenSSL to build with. */
export function compileGenerator() {
  mkdirSync(join(BENCH, 'build'), { recursive: true });
  const parts = readdirSync(join(BENCH, 'load')).filter((name) => name.endsWith('.c'));
  const sources = [join(BENCH, 'load.c'), ...parts.map((name) => join(BENCH, 'load', name))];
  const parameters = ['-O2', '-Wall', '-std=gnu11', '-o', PROGRAM, ...sources, '-lssl', '-lcrypto'];
  const { status, error, stderr } = spawnSync(process.env.CC ?? 'cc', parameters, { encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`the load generator needs a C compiler and OpenSSL's headers (gcc libssl-dev)\n${error ?? stderr}`);
  }
}

/**
 * @param {import('../brokers/broker.mjs').RunningBroker} broker
 * @param {{transport: 'tcp' | 'tls', load: import('../scenarios.mjs').Load}} scenario
 * @returns {Promise<Measurement>}
 */
export function runGenerator(broker, { transport, load }) {
  const { ca, cert, key, name } = broker.tls;
  const port = transport === 'tls' ? broker.ports.mqtts : broker.ports.mqtt;
  const parameters = ['--port', `${port}`, '--pid', `${broker.pid}`, '--name', name];
  if (transport === 'tls') parameters.push('--ca', ca, '--cert', cert, '--key', key);
  for (const [option, value] of Object.entries(/** @type {typeof load} */ ({ 'max-seconds': MAX_SECONDS, ...load }))) {
    if (value === true) parameters.push(`--${option}`);
    else if (value !== false) parameters.push(`--${option}`, `${value}`);
  }
  return new Promise((resolve) => {
    execFile(PROGRAM, parameters, { timeout: 3_600_000 }, (fault, stdout, stderr) => {
      resolve(readMeasurement(stdout) ?? { failure: stderr.trim() || `${fault?.message ?? 'it printed no result'}` });
    });
  });
}

/** @param {string} line @returns {Measurement | undefined} undefined if it is none: one bad line must not end a long run */
function readMeasurement(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
