// node test/storm/run.mjs: 5,000 devices with certificates that lost their broker come back at once.

import { parseArgs } from 'node:util';
import { storm } from './storm-run.ts';

const { values } = parseArgs({
  options: { devices: { type: 'string', default: '5000' }, plain: { type: 'boolean', default: false } },
});
const devices = Number(values.devices);
try {
  const outcome = await storm({ devices, tls: !values.plain, say: (line) => console.log(line) });
  const { startSeconds, backSeconds, deliveredSeconds, messages, again } = outcome;
  console.log(
    `${devices} devices, ${values.plain ? 'plain' : 'TLS with client certificates'}: a start took ${startSeconds} s, all were back after ` +
      `${backSeconds} s, all ${messages} messages delivered after ${deliveredSeconds} s; 0 lost, 0 QoS 2 duplicates; ` +
      `${again} connections were tried again`,
  );
} catch (fault) {
  console.log(`WRONG ${(fault as Error).message}`);
  process.exitCode = 1;
}
