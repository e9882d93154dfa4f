// The store that the configuration asks for. The durable one lives in a directory of its own and is opened before the broker.

import { statfs } from 'node:fs/promises';
import type { BrokerConfig } from '../ports/config.ts';
import type { Store } from '../ports/store.ts';
import { ClassicEngine } from './level/classic-engine.ts';
import { openLevelStore } from './level/open.ts';
import { watchSpace } from './level/space.ts';
import { MemoryStore } from './memory/memory-store.ts';

export { DamageFault } from './level/engine.ts';
export { FormatFault } from './level/format.ts';

/** Opens it, with everything but messages read; throws FormatFault, DamageFault, or what the file system says. */
export async function openStore(
  { kind, lingerMs, freeBytesMin = 0, writeBufferBytes }: BrokerConfig['store'],
  path: string,
): Promise<Store> {
  if (kind === 'memory') return new MemoryStore({ defer: setImmediate });
  const after = (ms: number, run: () => void) => void setTimeout(run, ms).unref();
  const space =
    freeBytesMin === 0 ? undefined : await watchSpace({ freeBytesMin, look: () => freeBytesAt(path), after });
  return openLevelStore(new ClassicEngine(path, writeBufferBytes), {
    lingerMs,
    defer: setImmediate,
    after: (ms, run) => void setTimeout(run, ms),
    nowMs: Date.now,
    ...(space === undefined ? {} : { space }),
  });
}

/** What is free to a user without special rights. */
async function freeBytesAt(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
