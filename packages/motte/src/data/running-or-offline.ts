// The registry of a data directory whether or not its broker runs: what a command does goes through the admin API, or is
// done in this process under the lock.

import { MotteError, openAdmin } from '@motte/admin';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import { checkData, registryPath } from './layout.ts';

export interface Ways<T> {
  running(): Promise<T>;
  /** Nobody else has the registry meanwhile. */
  offline(directory: IdentityDirectory): Promise<T>;
}

export async function runningOrOffline<T>(data: string, ways: Ways<T>): Promise<T> {
  if (await isRunning(data)) return ways.running();
  checkData(data);
  const { lockData } = await import('./lock.ts');
  const { openRegistry } = await import('@motte/broker/registry');
  const lock = await lockData(data);
  try {
    return await ways.offline(openRegistry(registryPath(data)));
  } finally {
    await lock.release();
  }
}

async function isRunning(data: string): Promise<boolean> {
  try {
    await openAdmin(data).status();
    return true;
  } catch (fault) {
    if (fault instanceof MotteError && fault.code === 'MOT-0501') return false;
    throw fault;
  }
}
