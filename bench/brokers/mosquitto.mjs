// Mosquitto as its package installs it: MOSQUITTO in the environment or the one on the path.
// Settings that differ from the defaults are those without which the scenarios could not run.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startProcess } from './broker.mjs';

const program = () =>
  process.env.MOSQUITTO ?? (spawnSync('mosquitto', ['-h']).error ? '/usr/sbin/mosquitto' : 'mosquitto');

/**
 * @param {string} name
 * @param {string[]} extra further lines of configuration
 * @returns {import('./broker.mjs').Broker}
 */
export const mosquittoWith = (name, extra) => ({
  name,

  version() {
    const { stdout } = spawnSync(program(), ['-h'], { encoding: 'utf8' });
    return /mosquitto version (\S+)/.exec(stdout ?? '')?.[1];
  },

  /** @param {import('./broker.mjs').StartOptions} options */
  async start({ directory, certificates, persistence }) {
    const ports = { mqtt: await freePort(), mqtts: await freePort() };
    const lines = [
      'allow_anonymous true',
      'log_type error',
      'max_queued_messages 0', // never throw away what the generator counts
      `persistence ${persistence}`,
      ...(persistence ? [`persistence_location ${directory}/`] : []),
      ...(process.getuid?.() === 0 ? ['user root'] : []), // or it could not read the certificates
      ...extra,
      `listener ${ports.mqtt} 127.0.0.1`,
      `listener ${ports.mqtts} 127.0.0.1`,
      `cafile ${certificates.ca}`,
      `certfile ${certificates.serverCert}`,
      `keyfile ${certificates.serverKey}`,
      'require_certificate true',
    ];
    const file = join(directory, 'mosquitto.conf');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const { pid, stop } = await startProcess(program(), ['-c', file], { ports: Object.values(ports) });
    return { pid, ports, tls: certificates.client, stop };
  },
});

/** @type {import('./broker.mjs').Broker} */
export const broker = mosquittoWith('mosquitto', []);
