// An authority in this process, at a time that the test sets.

import { type RunningAuthority, startAuthority } from '../authority/start.ts';
import { withDataDirectory } from './data-directory.ts';

export const NOW = Date.UTC(2026, 5, 1);

export interface AuthorityAt {
  /** Replaced by `again`. */
  authority: RunningAuthority;
  readonly time: { ms: number };
  readonly data: string;
  /** Ends it and starts it on what it left. */
  again(): Promise<void>;
}

export function withAuthorityAt(work: (world: AuthorityAt) => Promise<void>): Promise<void> {
  return withDataDirectory(async (data) => {
    const time = { ms: NOW };
    const start = () => startAuthority({ data, now: () => time.ms });
    const world: AuthorityAt = {
      authority: await start(),
      time,
      data,
      again: async () => {
        await world.authority.close();
        world.authority = await start();
      },
    };
    try {
      await work(world);
    } finally {
      await world.authority.close();
    }
  });
}
