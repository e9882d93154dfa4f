// What is on the disk, opened for a start: the registry and the store; what is wrong with them gets its number.

import { MotteError } from '@motte/admin';
import type { Store } from '@motte/broker/ports/store';
import { openRegistry } from '@motte/broker/registry';
import { DamageFault, FormatFault, openStore } from '@motte/broker/store';
import type { MotteConfig } from '../config/config.ts';
import { registryPath, storePath } from '../data/layout.ts';

/** Throws MOT-0205. */
export function openDirectory(data: string) {
  try {
    return openRegistry(registryPath(data));
  } catch (fault) {
    throw new MotteError('MOT-0205', (fault as Error).message, { cause: fault });
  }
}

/** Throws MOT-0206, MOT-0207, MOT-0208. */
export async function openDataStore(data: string, config: MotteConfig): Promise<Store> {
  try {
    return await openStore(config.store, storePath(data));
  } catch (fault) {
    const code = fault instanceof FormatFault ? 'MOT-0206' : fault instanceof DamageFault ? 'MOT-0207' : 'MOT-0208';
    throw new MotteError(code, `${storePath(data)}: ${(fault as Error).message}`, { cause: fault });
  }
}
