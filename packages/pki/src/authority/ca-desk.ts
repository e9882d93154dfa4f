// The CA as administrators see and replace it. What is on disk is issue/generations' work; here are who has moved, when a
// replacement may be finished, and the authorities in force, which change while the process runs.

import type { KeeperSettings } from '../issue/ca-keys.ts';
import type { Authorities } from '../issue/generations.ts';
import { beginRotation, endRotation, loadAuthorities } from '../issue/generations.ts';
import { type IssuedRecord, type Ledger, recordOf } from '../issue/ledger.ts';
import { DEVICE_PAGE } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { OWN_REALM } from '../protocol/names.ts';
import type { CaDetails, CaGeneration, TrustMaterial } from '../protocol/results.ts';
import { parseOverlap } from './overlap.ts';

/** Where keys are: as it was at the start, and how to look again. */
interface Settings {
  readonly settings: KeeperSettings;
  readonly reread: () => Promise<KeeperSettings>;
}

/** What was issued, and what of it was revoked. */
interface Books {
  readonly ledger: Ledger;
  readonly isRevoked: (serial: string) => boolean;
}

export class CaDesk {
  readonly #pki: string;
  readonly #ledger: Ledger;
  readonly #isRevoked: Books['isRevoked'];
  readonly #now: () => number;
  readonly #reread: Settings['reread'];
  #settings: KeeperSettings;
  #authorities: Authorities;

  private constructor(
    pki: string,
    { ledger, isRevoked }: Books,
    now: () => number,
    { settings, reread }: Settings,
    authorities: Authorities,
  ) {
    this.#settings = settings;
    this.#reread = reread;
    this.#pki = pki;
    this.#ledger = ledger;
    this.#isRevoked = isRevoked;
    this.#now = now;
    this.#authorities = authorities;
  }

  /** Throws MOT-0423 and MOT-0424. */
  static async open(pki: string, books: Books, now: () => number, settings: Settings): Promise<CaDesk> {
    return new CaDesk(pki, books, now, settings, await load(pki, books.ledger, settings.settings));
  }

  /** In force now; read it anew for every request. */
  get authorities(): Authorities {
    return this.#authorities;
  }

  /** What whoever verifies our certificates has to trust: while the CA is being replaced both, the one that serves first. */
  get roots(): string {
    return this.#all.map(({ rootPem }) => rootPem).join('');
  }

  show(): CaDetails {
    const { generations, current, old } = this.#authorities;
    const of = (ca: Authorities['current']): CaGeneration => ({
      fingerprint: ca.fingerprint,
      root: ca.root,
      issuing: ca.issuing,
      rootKey: ca.keys.root,
      issuingKey: ca.keys.issuing,
    });
    return {
      realm: OWN_REALM,
      current: of(current),
      old:
        old === undefined ? null : { ...of(old), until: generations.old?.until ?? '', unmoved: this.#unmoved().length },
      issued: this.#ledger.count,
      devices: this.#ledger.deviceNames.length,
    };
  }

  /** Devices whose latest good certificate is of the CA that is being replaced, and not past its end; a page of names. */
  unmoved(after: string): { names: readonly string[]; more: boolean } {
    const names = this.#unmoved();
    const first = after === '' ? 0 : names.findIndex((name) => name > after);
    const page = first === -1 ? [] : names.slice(first, first + DEVICE_PAGE);
    return { names: page, more: first !== -1 && first + DEVICE_PAGE < names.length };
  }

  /** MOT-0461 while one is under way, MOT-0464 for what is no duration. */
  async rotate(overlap: string): Promise<CaDetails> {
    const nowMs = this.#now();
    // The file may name other keys than at the start: those of an HSM are made before this is asked.
    const fresh = await this.#reread();
    const when = { nowMs, overlapMs: parseOverlap(overlap), settings: fresh };
    await beginRotation(this.#pki, this.#authorities, when, (certificate) =>
      this.#ledger.append(recordOf(certificate, 'creation', nowMs)),
    );
    this.#settings = fresh;
    this.#authorities = await load(this.#pki, this.#ledger, this.#settings);
    return this.show();
  }

  /** MOT-0462 while devices have not moved, unless `force`; MOT-0463 where nothing is being replaced. */
  async finish(force: boolean): Promise<CaDetails> {
    const unmoved = this.#unmoved();
    if (unmoved.length > 0 && !force) {
      throw new AuthorityFault('MOT-0462', `${unmoved.length} of them, ${unmoved.slice(0, SHOWN).join(', ')} first`);
    }
    await endRotation(this.#pki, this.#authorities);
    this.#authorities = await load(this.#pki, this.#ledger, this.#settings);
    return this.show();
  }

  trust(): TrustMaterial {
    const { generations, serving } = this.#authorities;
    return {
      root: this.roots,
      issuing: this.#all.map(({ issuingPem }) => issuingPem).join(''),
      serverIssuing: serving.issuingPem,
      fingerprint: serving.fingerprint,
      trusted: this.#all.map(({ fingerprint }) => fingerprint),
      realm: OWN_REALM,
      overlap: generations.old === undefined ? null : { until: generations.old.until, unmoved: this.#unmoved().length },
    };
  }

  get #all(): readonly Authorities['current'][] {
    const { old, current } = this.#authorities;
    return old === undefined ? [current] : [old, current];
  }

  #unmoved(): readonly string[] {
    const { old, current } = this.#authorities;
    if (old === undefined) return [];
    const nowMs = this.#now();
    return this.#ledger.deviceNames.filter((name) => {
      // One that was taken away has none, and must not keep the others from the end.
      const latest = this.#ledger.device(name)?.findLast(({ serial }) => !this.#isRevoked(serial));
      return latest !== undefined && isUnmoved(latest, current.issuer.commonName, nowMs);
    });
  }
}

/** Records of before there was anything to move to do not say who issued them. */
function isUnmoved({ issuer, notAfter }: IssuedRecord, current: string, nowMs: number): boolean {
  return issuer !== current && Date.parse(notAfter) > nowMs;
}

function load(pki: string, ledger: Ledger, settings: KeeperSettings): Promise<Authorities> {
  return loadAuthorities(pki, settings, (name) => ledger.issuers.has(name));
}

const SHOWN = 5;
