// The CA certificates of tls.clientCa as revocation sees them: by fingerprint, and which of them issued which.

import { parseStatusIssuer, type StatusIssuer } from '@motte/pki/status';
import type { ClientAuthority } from '../start/client-authorities.ts';

export interface ForeignCa {
  readonly realm: string;
  readonly issuer: StatusIssuer;
  /** Fingerprints of the CAs of the same authority that issued it; none for a root. */
  readonly above: readonly string[];
}

export type ForeignCas = ReadonlyMap<string, ForeignCa>;

/** Reads them; the certificates were checked when they were taken for authorities. */
export function readForeignCas(authorities: readonly ClientAuthority[]): ForeignCas {
  const found = new Map<string, ForeignCa>();
  for (const { realm, certificates } of authorities) {
    const issuers = certificates.map((pem) => parseStatusIssuer(pem));
    for (const issuer of issuers) {
      const { certificate, fingerprint } = issuer;
      const above = issuers.filter(
        (ca) => ca !== issuer && certificate.checkIssued(ca.certificate) && certificate.verify(ca.key),
      );
      found.set(fingerprint, { realm, issuer, above: above.map((ca) => ca.fingerprint) });
    }
  }
  return found;
}

/** The CAs of one authority. */
export function issuersOf(cas: ForeignCas, realm: string): StatusIssuer[] {
  return [...cas.values()].filter((ca) => ca.realm === realm).map(({ issuer }) => issuer);
}

/** A CA and all that stand above it. */
export function pathUp(cas: ForeignCas, fingerprint: string): ForeignCa[] {
  const path = new Map<string, ForeignCa>();
  const climb = (at: string): void => {
    const ca = cas.get(at);
    if (ca === undefined || path.has(at)) return;
    path.set(at, ca);
    for (const one of ca.above) climb(one);
  };
  climb(fingerprint);
  return [...path.values()];
}
