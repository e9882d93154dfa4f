// Whom a command asks for what only the authority does: the one of the data directory, running or not, or the one apart
// that the configuration names, whose socket for administrators stands beside the broker's.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Administrator } from '@motte/pki';
import type { Context } from '../context.ts';
import { askAtStandardInput } from './ask-for-ca-passphrase.ts';

/** Where the data and the configuration are. */
export type Place = Pick<Context, 'data' | 'config'>;

/** Rejects with an AuthorityFault: MOT-0421 where nobody answers, MOT-0436 where there is no CA. */
export async function askAuthority<T>(place: Place, work: (authority: Administrator) => Promise<T>): Promise<T> {
  const { openAuthority, withAuthority } = await import('@motte/pki');
  const ask = askAtStandardInput();
  const own = () => withAuthority(place.data, work, ask === undefined ? {} : { ask });
  if (existsSync(join(place.data, 'pki'))) return own();
  // Seldom, and then a configuration is to be read, which the others need not load.
  const { loadConfig } = await import('../config/config.ts');
  const apart = loadConfig(place.config).authoritySocket;
  if (apart === undefined) return own();
  return work(openAuthority(join(dirname(apart), 'authority.sock')));
}
