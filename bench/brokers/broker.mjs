// What the runner needs of every broker, and the parts all adapters share: free ports, start, readiness, stop.
// A broker takes part when it has a module here that exports `broker`; `--brokers` picks them by file name.
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} StartOptions
 * @property {string} directory empty, for configuration and data; removed by the runner
 * @property {import('../runner/certificates.mjs').Certificates} certificates for brokers without an authority of their own
 * @property {boolean} persistence sessions and queued messages survive a restart
 *
 * @typedef {object} ClientTls
 * @property {string} ca
 * @property {string} cert
 * @property {string} key
 * @property {string} name the client ids begin with it
 *
 * @typedef {object} RunningBroker
 * @property {number} pid
 * @property {{mqtt: number, mqtts: number}} ports
 * @property {ClientTls} tls what clients show at `ports.mqtts`
 * @property {() => Promise<void>} stop
 *
 * @typedef {object} Broker
 * @property {string} name
 * @property {() => string | undefined} version undefined when the broker is not there to be measured
 * @property {(options: StartOptions) => Promise<RunningBroker>} start
 */

const READY_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 10_000;

/** @returns {Promise<number>} a loopback port nobody listens on right now */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param {number} port @returns {Promise<boolean>} */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/**
 * Starts a program and returns when it accepts connections at all `ports`; throws with its output when it does not.
 * @param {string} command
 * @param {string[]} parameters
 * @param {{ports: number[], cwd?: string, env?: NodeJS.ProcessEnv}} options
 * @returns {Promise<{pid: number, stop: () => Promise<void>}>}
 */
export async function startProcess(command, parameters, { ports, cwd, env }) {
  const child = spawn(command, parameters, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  /** @type {string | undefined} */
  let ended;
  const exit = new Promise((resolve) => {
    child.once('error', (fault) => resolve((ended = fault.message)));
    child.once('exit', (code, signal) => resolve((ended = `exit ${code ?? signal}`)));
  });

  const stop = async () => {
    if (ended !== undefined) return;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exit;
    clearTimeout(late);
  };

  const deadline = Date.now() + READY_DEADLINE_MS;
  for (const port of ports) {
    while (!(await accepts(port))) {
      if (ended === undefined && Date.now() < deadline) await sleep(50);
      else {
        await stop();
        throw new Error(`${command} did not start: ${ended}\n${output}`);
      }
    }
  }
  return { pid: /** @type {number} */ (child.pid), stop };
}
