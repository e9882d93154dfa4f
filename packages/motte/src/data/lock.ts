// One process at a time on a data directory. The lock is the authority's technique on a directory of its own: nothing is
// left for a person to remove after kill -9.

import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { AuthorityFault, acquireLock, type Lock } from '@motte/pki';

/** Waits up to 5 s; throws MOT-0203 with the process that holds it. */
export async function lockData(data: string, waitMs: number = LOCK_WAIT_MS): Promise<Lock> {
  try {
    return await acquireLock(join(data, 'run', 'lock'), waitMs);
  } catch (fault) {
    if (!(fault instanceof AuthorityFault)) throw fault;
    if (fault.code === 'MOT-0422') throw new MotteError('MOT-0203', fault.why, { cause: fault });
    if (fault.code === 'MOT-0429') throw new MotteError('MOT-0204', fault.why, { cause: fault });
    throw new MotteError('MOT-0201', fault.why, { cause: fault });
  }
}

const LOCK_WAIT_MS = 5_000;
