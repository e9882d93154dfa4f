// The authority that somebody else runs, as another user: nothing is started here, its socket is looked at and waited for.
// Every call is a connection of its own, so that one which was away is there again by itself.

import { existsSync, lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MotteError } from '@motte/admin/errors';
import { openBrokerAuthority } from '@motte/pki';
import type { AuthorityLink } from './authority.ts';

/** Waits for it; throws MOT-0407 if its place is unsafe or nobody answers in time, MOT-0408 if CA keys are in the data directory. */
export async function awaitAuthority(data: string, path: string, waitMs = WAIT_MS): Promise<AuthorityLink> {
  const pki = join(data, 'pki');
  if (existsSync(pki)) throw new MotteError('MOT-0408', pki);
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      checkPlace(path);
      await openBrokerAuthority(path).trust();
      break;
    } catch (fault) {
      const { code, message } = fault as { code?: unknown; message: string };
      if (code !== 'MOT-0421' && code !== 'ENOENT') throw fault;
      if (performance.now() >= deadline) throw new MotteError('MOT-0407', message, { cause: fault });
      await pause(RETRY_MS);
    }
  }
  let owner = -1;
  const isOfAnother = (): boolean => {
    // While it is away its socket may be gone: then what it was counts.
    owner = lstatSync(path, { throwIfNoEntry: false })?.uid ?? owner;
    const own = process.getuid?.() ?? 0;
    // Root reads everybody's keys.
    return own !== 0 && owner !== own;
  };
  isOfAnother();
  return {
    brokerSocket: path,
    created: false,
    get separated() {
      return isOfAnother();
    },
    findings: () =>
      isOfAnother()
        ? []
        : [{ subject: 'authority', why: 'CA not separated: the authority behind pki.socket is of the same user' }],
    close: async () => undefined,
  };
}

/** Whoever may write the directory could answer in the authority's place; throws MOT-0407, and what the system says. */
function checkPlace(path: string): void {
  const facts = lstatSync(path);
  if (!facts.isSocket()) throw new MotteError('MOT-0407', `${path} is not a socket`);
  const directory = dirname(path);
  const { mode } = lstatSync(directory);
  if ((mode & 0o022) !== 0) throw new MotteError('MOT-0407', `${directory} can be written by others`);
}

const WAIT_MS = 30_000;
const RETRY_MS = 100;
