// What is known to be revoked, of every authority: Motte's own says it by the feed, others by lists and responders. Puts them
// together for the proof of identity, and keeps them going while the broker runs.

import { join } from 'node:path';
import type { BrokerEvent } from '@motte/broker/events';
import type { Log } from '@motte/broker/observe';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import { type CertificateInUse, type RevokedCertificates, serialOfKey } from '@motte/broker/ports/trust';
import type { MotteConfig } from '../config/config.ts';
import { CLOCK } from '../data/clock.ts';
import type { ClientAuthority } from '../start/client-authorities.ts';
import type { RevocationFeed } from '../start/revocation-feed.ts';
import { readForeignCas } from './foreign-cas.ts';
import { ForeignLists } from './foreign-lists.ts';
import { ListCache } from './list-cache.ts';
import { OcspDesk } from './ocsp-desk.ts';

export interface Revocation extends RevokedCertificates {
  /** From now on lists and those who are connected are looked at, and the broker is told whenever there may be news. */
  follow(broker: Followed): void;
  /** Reads what another configuration names; the answer puts it in force. Throws MOT-0414 and changes nothing. */
  prepare(next: MotteConfig, authorities: readonly ClientAuthority[]): Promise<() => void>;
  /** The CAs have changed under the same configuration. */
  setAuthorities(authorities: readonly ClientAuthority[]): void;
  findings(): readonly HealthFinding[];
  close(): void;
}

/** The broker as far as revocation has to do with it. */
export interface Followed {
  readonly lookForRevoked: () => void;
  readonly certificatesInUse: () => Iterable<CertificateInUse>;
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
  let rules = config.revocation;
  let onNews = (): void => undefined;
  const timers: NodeJS.Timeout[] = [];
  const parts = {
    clock: CLOCK,
    told: (event: BrokerEvent): void => log.observe(event),
    onNews: (): void => onNews(),
  };
  const lists = new ForeignLists({ ...parts, cache: new ListCache(join(data, 'run', 'lists')) });
  const desk = new OcspDesk({ ...parts, isListed: (serial, issuer) => lists.find(serial, issuer) !== undefined });
  const cas = readForeignCas(authorities);
  (await lists.prepare(rules.lists, cas, true))();
  desk.use(rules, cas);
  return {
    find(key, issuer) {
      const serial = serialOfKey(key);
      return feed.find(key) ?? lists.find(serial, issuer) ?? desk.find(serial, issuer);
    },
    staleOf: (issuer) => (rules.stale === 'accept' ? undefined : lists.staleOf(issuer)),
    ask: (certificate) => desk.ask(certificate),
    follow({ lookForRevoked, certificatesInUse }) {
      onNews = lookForRevoked;
      feed.follow(lookForRevoked);
      const look = (): void =>
        void lists.look().catch((fault: Error) => log.say('error', FAILED, { why: fault.message }));
      look();
      timers.push(setInterval(look, LOOK_MS));
      timers.push(setInterval(() => desk.isAsking && desk.refresh(certificatesInUse()), REFRESH_MS));
      for (const timer of timers) timer.unref();
    },
    async prepare(next, fresh) {
      const freshCas = readForeignCas(fresh);
      const take = await lists.prepare(next.revocation.lists, freshCas);
      return () => {
        rules = next.revocation;
        desk.use(rules, freshCas);
        take();
      };
    },
    setAuthorities(fresh) {
      const freshCas = readForeignCas(fresh);
      desk.use(rules, freshCas);
      lists.setCas(freshCas);
    },
    findings: () => [...feed.findings(), ...lists.findings(), ...desk.findings()],
    close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

const FAILED = 'revocation lists could not be looked at';
/** A file counts as changed when it has been left alone for as long. */
const LOOK_MS = 500;
/** How often it is looked who of those connected is due to be asked about. */
const REFRESH_MS = 2_000;
