// What is known to be revoked, of every authority: Motte's own says it by the feed, others by lists. Puts them together for
// the proof of identity, and keeps them going while the broker runs.

import { join } from 'node:path';
import type { Log } from '@motte/broker/observe';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import { type RevokedCertificates, serialOfKey } from '@motte/broker/ports/trust';
import type { MotteConfig } from '../config/config.ts';
import type { ClientAuthority } from '../start/client-authorities.ts';
import type { RevocationFeed } from '../start/revocation-feed.ts';
import { readForeignCas } from './foreign-cas.ts';
import { ForeignLists } from './foreign-lists.ts';
import { ListCache } from './list-cache.ts';

export interface Revocation extends RevokedCertificates {
  /** From now on lists are followed, and `onNews` is called whenever something may be revoked that was not. */
  follow(onNews: () => void): void;
  /** Reads what another configuration names; the answer puts it in force. Throws MOT-0414 and changes nothing. */
  prepare(next: MotteConfig, authorities: readonly ClientAuthority[]): Promise<() => void>;
  /** The CAs have changed under the same configuration. */
  setAuthorities(authorities: readonly ClientAuthority[]): void;
  findings(): readonly HealthFinding[];
  close(): void;
}

export interface RevocationParts {
  readonly feed: RevocationFeed;
  readonly data: string;
  readonly config: MotteConfig;
  readonly authorities: readonly ClientAuthority[];
  readonly log: Log;
}

/** Reads the files that are there; what is wrong with them is a finding. */
export async function openRevocation({ feed, data, config, authorities, log }: RevocationParts): Promise<Revocation> {
  let onNews = (): void => undefined;
  let { stale } = config.revocation;
  let timer: NodeJS.Timeout | undefined;
  const lists = new ForeignLists({
    cache: new ListCache(join(data, 'run', 'lists')),
    nowMs: Date.now,
    told: (event) => log.observe(event),
    onNews: () => onNews(),
  });
  (await lists.prepare(config.revocation.lists, readForeignCas(authorities), true))();
  return {
    find: (key, issuer) => feed.find(key) ?? lists.find(serialOfKey(key), issuer),
    staleOf: (issuer) => (stale === 'accept' ? undefined : lists.staleOf(issuer)),
    follow(listener) {
      onNews = listener;
      feed.follow(listener);
      const look = (): void =>
        void lists.look().catch((fault: Error) => log.say('error', FAILED, { why: fault.message }));
      look();
      timer = setInterval(look, LOOK_MS);
      timer.unref();
    },
    async prepare(next, fresh) {
      const take = await lists.prepare(next.revocation.lists, readForeignCas(fresh));
      return () => {
        stale = next.revocation.stale;
        take();
      };
    },
    setAuthorities: (fresh) => lists.setCas(readForeignCas(fresh)),
    findings: () => [...feed.findings(), ...lists.findings()],
    close: () => clearInterval(timer),
  };
}

const FAILED = 'revocation lists could not be looked at';
/** A file counts as changed when it has been left alone for as long. */
const LOOK_MS = 500;
