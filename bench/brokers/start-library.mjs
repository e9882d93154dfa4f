// Adapters of motte-open and motte-policy: library.mjs in a process of its own.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from './broker.mjs';

const PROGRAM = fileURLToPath(new URL('./library.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../../packages/broker/dist/start.js', import.meta.url));

/** @param {string} name @param {'open' | 'policy'} kind @returns {import('./broker.mjs').Broker} */
export function startLibrary(name, kind) {
  return {
    name,
    version: () => (existsSync(BUILT) ? 'this clone' : undefined),
    async start({ certificates }) {
      const ports = { mqtt: await freePort(), mqtts: await freePort() };
      const parameters = [PROGRAM, `${ports.mqtt}`, `${ports.mqtts}`, kind];
      const { pid, stop } = await startProcess(process.execPath, parameters, { ports: Object.values(ports) });
      return { pid, ports, tls: certificates.client, stop };
    },
  };
}
