// The log of a running broker on standard output, and what of the broker goes into it.

import type { Broker } from '@motte/broker';
import { createLog, type Log } from '@motte/broker/observe';
import type { MotteConfig } from '../config/config.ts';
import { createLineWriter } from './line-writer.ts';

export function openLog(config: MotteConfig): Log {
  const { level, shape } = config.settings.log;
  const fit = shape === 'auto' ? (process.stdout.isTTY ? 'text' : 'json') : shape;
  const lines = createLineWriter(process.stdout, (lost) =>
    log.say('error', 'lines of the log were lost: nobody took them', { lost }),
  );
  process.once('exit', lines.flush);
  const log = createLog({ level, shape: fit, write: lines.write });
  return log;
}

/** Events below the log's level are not even built. */
export function attachLog(broker: Broker, log: Log): () => void {
  return log.level === 'off' ? () => {} : broker.observe((event) => log.observe(event), log.level);
}
