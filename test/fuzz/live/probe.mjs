// Loaded into the broker process before the program: answers its parent with the memory that is left after a collection and
// the longest time that one turn of the event loop took since it was last asked, and tells it of exceptions that nobody
// caught. Touches nothing of the program.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const RESOLUTION_MS = 10;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();

process.on('message', () => {
  const turnMs = Math.max(0, Math.round(delay.max / 1e6) - RESOLUTION_MS);
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapBytes: heapUsed + external, rssBytes: rss, turnMs });
  // The collection was ours.
  setImmediate(() => setTimeout(() => delay.reset(), 2 * RESOLUTION_MS));
});
process.on('uncaughtExceptionMonitor', (fault, origin) => process.send?.({ fault: `${origin}: ${fault.stack}` }));
process.on('warning', (warning) => process.send?.({ fault: `warning: ${warning.stack}` }));
process.channel?.unref();
