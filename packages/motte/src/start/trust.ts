// Whose certificates prove an identity while the broker runs: the authority's own CAs, and those of tls.clientCa. Replaced as a
// whole; the proof of identity reads it at every CONNECT.

import type { ForeignAuthority, RevokedCertificates, TrustedIssuer, TrustFacts } from '@motte/broker/ports/trust';
import { OWN_REALM } from '@motte/pki/protocol';
import { type ClientAuthority, splitPem } from './client-authorities.ts';

export class LiveTrust implements TrustFacts {
  number = 0;
  issuers: readonly TrustedIssuer[] = [];
  readonly revoked: RevokedCertificates;
  foreign: ReadonlyMap<string, ForeignAuthority> = new Map();

  constructor(revoked: RevokedCertificates) {
    this.revoked = revoked;
  }

  /** Puts these in force; the answer names the foreign realms that lost a CA, whose live proofs may be worth nothing any more. */
  take(ownCa: string, authorities: readonly ClientAuthority[]): string[] {
    const own = splitPem(ownCa).map((pem) => ({ pem, realm: OWN_REALM }));
    const foreign = authorities.flatMap(({ realm, certificates }) => certificates.map((pem) => ({ pem, realm })));
    const issuers = [...own, ...foreign];
    const isThere = (one: TrustedIssuer): boolean =>
      issuers.some(({ pem, realm }) => realm === one.realm && pem === one.pem);
    const lost = this.issuers.filter((one) => !isThere(one)).map(({ realm }) => realm);
    if (lost.length > 0 || issuers.length !== this.issuers.length) this.number += 1;
    this.issuers = issuers;
    this.foreign = new Map(authorities.map((one) => [one.realm, one]));
    return [...new Set(lost)].filter((realm) => realm !== OWN_REALM);
  }
}
