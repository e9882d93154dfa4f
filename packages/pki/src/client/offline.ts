// Administration whether or not an authority runs: through its socket, or with the same handlers in this process under
// the same lock.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AskPassphrase } from '../authority/asking.ts';
import { openCore, openPkiDirectory } from '../authority/core.ts';
import { acquireLock, type Lock, pauseBeforeRetry } from '../authority/lock.ts';
import { LOCK_WAIT_MS } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { openAuthority } from './client.ts';
import { type Administrator, administrator } from './faces.ts';

export interface OfflineOptions {
  readonly now?: () => number;
  readonly lockWaitMs?: number;
  /** Asks a person for the passphrase of the keys, where no authority runs. */
  readonly ask?: AskPassphrase;
}

/**
 * Runs `work` with the authority of a data directory; one that is just starting or ending is waited for.
 * MOT-0436 where no start ever made a CA: a mistyped directory gets none.
 */
export async function withAuthority<T>(
  data: string,
  work: (administrator: Administrator, where: 'running' | 'offline') => Promise<T>,
  options: OfflineOptions = {},
): Promise<T> {
  const running = openAuthority(join(data, 'run', 'authority.sock'));
  const deadline = performance.now() + (options.lockWaitMs ?? LOCK_WAIT_MS);
  for (let attempt = 0; ; attempt += 1) {
    if (await answers(running)) return work(running, 'running');
    if (!(await isDirectory(join(data, 'pki')))) throw new AuthorityFault('MOT-0436', data);
    const pki = await openPkiDirectory(data);
    const lock = await acquireLock(join(pki, 'lock'), 0).catch((fault: unknown) => {
      if (isFault(fault, 'MOT-0422') && performance.now() < deadline) return undefined;
      throw fault;
    });
    if (lock !== undefined) return workUnder(lock, pki, work, options);
    await pauseBeforeRetry(attempt);
  }
}

async function workUnder<T>(
  lock: Lock,
  pki: string,
  work: (administrator: Administrator, where: 'offline') => Promise<T>,
  { now = Date.now, ask }: OfflineOptions,
): Promise<T> {
  try {
    const core = await openCore(pki, { now, create: false, ...(ask === undefined ? {} : { ask }) });
    try {
      return await work(administrator(core.call), 'offline');
    } finally {
      await core.close();
    }
  } finally {
    await lock.release();
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

async function answers(running: Administrator): Promise<boolean> {
  try {
    await running.caInfo();
    return true;
  } catch (fault) {
    if (isFault(fault, 'MOT-0421')) return false;
    throw fault;
  }
}

function isFault(fault: unknown, code: AuthorityFault['code']): boolean {
  return fault instanceof AuthorityFault && fault.code === code;
}
