// Aedes from node_modules, in a process of its own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from './broker.mjs';

const SERVER = fileURLToPath(new URL('./aedes-server.mjs', import.meta.url));

/** @type {import('./broker.mjs').Broker} */
export const broker = {
  name: 'aedes',

  version() {
    try {
      const entry = createRequire(import.meta.url).resolve('aedes');
      return JSON.parse(readFileSync(new URL('package.json', `file://${entry}`), 'utf8')).version;
    } catch {
      return undefined;
    }
  },

  // Its sessions live in memory whatever is asked for: it has no durable store without a database.
  async start({ certificates }) {
    const ports = { mqtt: await freePort(), mqtts: await freePort() };
    const { ca, serverCert, serverKey, client } = certificates;
    const parameters = [SERVER, `${ports.mqtt}`, `${ports.mqtts}`, ca, serverCert, serverKey];
    const { pid, stop } = await startProcess(process.execPath, parameters, { ports: Object.values(ports) });
    return { pid, ports, tls: client, stop };
  },
};
