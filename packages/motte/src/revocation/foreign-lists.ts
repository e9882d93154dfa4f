// The revocation lists of tls.crl while the broker runs: which certificates and CAs of other authorities they name, for whom
// they are missing or too old to say, and what is wrong with them.

import { MotteError } from '@motte/admin/errors';
import type { BrokerEvent } from '@motte/broker/events';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { Clock } from '@motte/broker/ports/clock';
import type { RevokedCertificate } from '@motte/broker/ports/trust';
import { caRealm } from '@motte/pki/protocol';
import type { RevocationList } from '@motte/pki/status';
import type { RevocationListSettings } from '../config/settings.ts';
import { type ForeignCas, issuersOf, pathUp } from './foreign-cas.ts';
import type { ListCache } from './list-cache.ts';
import { dateText, ListSource, newerOf } from './list-source.ts';

export interface ForeignListsParts {
  readonly cache: ListCache;
  readonly clock: Clock;
  readonly told: (event: BrokerEvent) => void;
  /** Something may be revoked that was not. */
  readonly onNews: () => void;
}

export class ForeignLists {
  readonly #parts: ForeignListsParts;
  #cas: ForeignCas = new Map();
  #sources: readonly ListSource[] = [];
  /** The newest list of each CA, by its fingerprint. */
  #inForce = new Map<string, RevocationList>();
  /** CAs that a CA above them has revoked. */
  #revokedCas = new Set<string>();
  /** What each source was last told of, and each CA whose list has ended. */
  readonly #told = new Map<string, string>();
  #looking: Promise<void> | undefined;

  constructor(parts: ForeignListsParts) {
    this.#parts = parts;
  }

  find(serial: string, issuer: string): RevokedCertificate | undefined {
    if (this.#revokedCas.has(issuer)) return { superseded: false };
    const superseded = this.#inForce.get(issuer)?.revoked.get(serial);
    return superseded === undefined ? undefined : { superseded };
  }

  /** Why certificates of that CA cannot be let in by what is known; undefined if they can, or none of it is asked for. */
  staleOf(issuer: string): string | undefined {
    const ca = this.#cas.get(issuer);
    if (ca === undefined) return undefined;
    const sources = this.#sources.filter(({ settings }) => caRealm(settings.ca) === ca.realm);
    if (sources.length === 0) return undefined;
    const missing = sources.find(({ lists }) => lists.size === 0);
    if (missing !== undefined) return `there is no revocation list of ${missing.settings.ca} from ${missing.place} yet`;
    if (!this.#inForce.has(issuer)) return `there is no revocation list of ${ca.issuer.name} in tls.crl`;
    for (const { issuer: above } of pathUp(this.#cas, issuer)) {
      const ended = this.#endOf(above.fingerprint);
      if (ended !== undefined) return `the revocation list of ${above.name} has ended: ${ended}`;
    }
    return undefined;
  }

  findings(): HealthFinding[] {
    const failed = this.#sources.flatMap(({ settings, place, fault, lists }) => {
      if (fault === undefined) return [];
      const rest = lists.size === 0 ? 'there is none yet' : 'the one read before stays in force';
      return [{ subject: 'revocation', why: `the revocation list of ${settings.ca}, ${place}: ${fault}; ${rest}` }];
    });
    const ended = [...this.#inForce.keys()].flatMap((fingerprint) => {
      const end = this.#endOf(fingerprint);
      const { name } = this.#cas.get(fingerprint)?.issuer ?? { name: fingerprint };
      return end === undefined
        ? []
        : [{ subject: 'revocation', why: `the revocation list of ${name} has ended: ${end}` }];
    });
    return [...failed, ...ended];
  }

  /**
   * Reads the files of lists that are not in force yet, for these CAs; the answer puts them in force. A file that is new and cannot
   * be used throws MOT-0414, unless it is the start: then it is a finding.
   */
  async prepare(entries: readonly RevocationListSettings[], cas: ForeignCas, isStart = false): Promise<() => void> {
    const { cache, clock } = this.#parts;
    const known = new Map(this.#sources.map((source) => [JSON.stringify(source.settings), source]));
    const sources = await Promise.all(
      entries.map(async (settings) => {
        const kept = known.get(JSON.stringify(settings));
        if (kept !== undefined) return kept;
        const source = new ListSource({ settings, cache, clock });
        await source.begin(issuersOf(cas, caRealm(settings.ca)));
        if (source.fault !== undefined && settings.file !== undefined && !isStart)
          throw new MotteError('MOT-0414', `${settings.ca}: ${settings.file}: ${source.fault}`);
        return source;
      }),
    );
    return () => {
      this.#sources = sources;
      this.setCas(cas);
    };
  }

  /** Other CAs from now on; every list is read again for them. */
  setCas(cas: ForeignCas): void {
    const isOther = [...cas.keys()].join() !== [...this.#cas.keys()].join();
    this.#cas = cas;
    if (isOther) for (const source of this.#sources) source.forget();
    this.#settle();
  }

  /** Looks whether there is anything new, and says what became of it; several callers share one look. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const looks = this.#sources.map(async (source) => {
      // Not one after the other: an address that is slow must not keep the others waiting.
      if (await source.look(issuersOf(this.#cas, caRealm(source.settings.ca)))) this.#settle();
    });
    await Promise.all(looks);
    this.#tellEnded();
  }

  #settle(): void {
    const inForce = new Map<string, RevocationList>();
    for (const source of this.#sources) {
      this.#tell(source);
      for (const [fingerprint, list] of source.lists) {
        if (this.#cas.has(fingerprint)) inForce.set(fingerprint, newerOf(inForce.get(fingerprint), list));
      }
    }
    this.#inForce = inForce;
    this.#revokedCas = new Set([...this.#cas.keys()].filter((fingerprint) => this.#isRevoked(fingerprint)));
    this.#tellEnded();
    this.#parts.onNews();
  }

  #isRevoked(fingerprint: string): boolean {
    return pathUp(this.#cas, fingerprint).some(({ issuer, above }) =>
      above.some((one) => this.#inForce.get(one)?.revoked.has(issuer.serial) === true),
    );
  }

  #endOf(fingerprint: string): string | undefined {
    const list = this.#inForce.get(fingerprint);
    return list === undefined || this.#parts.clock.nowMs() < list.nextUpdateMs
      ? undefined
      : dateText(list.nextUpdateMs);
  }

  #tell({ settings: { ca }, place, fault, lists }: ListSource): void {
    if (fault === undefined && lists.size === 0) return;
    const until = Math.min(...[...lists.values()].map(({ nextUpdateMs }) => nextUpdateMs));
    const revoked = [...lists.values()].reduce((sum, list) => sum + list.revoked.size, 0);
    const numbers = [...lists.values()].map(({ number, thisUpdateMs }) => `${number ?? dateText(thisUpdateMs)}`);
    const state = fault ?? JSON.stringify([numbers, revoked, until]);
    if (this.#told.get(place) === state) return;
    this.#told.set(place, state);
    const atMs = this.#parts.clock.nowMs();
    if (fault !== undefined) this.#parts.told({ name: 'revocation.list-refused', atMs, ca, place, why: fault });
    else this.#parts.told({ name: 'revocation.list-read', atMs, ca, place, revoked, until: dateText(until) });
  }

  #tellEnded(): void {
    for (const [fingerprint] of this.#inForce) {
      const end = this.#endOf(fingerprint) ?? '';
      if ((this.#told.get(fingerprint) ?? '') === end) continue;
      this.#told.set(fingerprint, end);
      const known = this.#cas.get(fingerprint);
      if (end === '' || known === undefined) continue;
      const { settings } = this.#sources.find((one) => caRealm(one.settings.ca) === known.realm) ?? {};
      const why = `the revocation list of ${known.issuer.name} has ended: ${end}`;
      this.#parts.told({ name: 'revocation.stale', atMs: this.#parts.clock.nowMs(), ca: settings?.ca ?? '', why });
    }
  }
}
