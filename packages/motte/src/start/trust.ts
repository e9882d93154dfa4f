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

  /** Puts these in force; the answer names the foreign realms that lost a CA or give other roles, whose live proofs may be worth less now. */
  take(ownCa: string, authorities: readonly ClientAuthority[]): string[] {
    const own = splitPem(ownCa).map((pem) => ({ pem, realm: OWN_REALM }));
    const foreign = authorities.flatMap(({ realm, certificates }) => certificates.map((pem) => ({ pem, realm })));
    const issuers = [...own, ...foreign];
    const isThere = (one: TrustedIssuer): boolean =>
      issuers.some(({ pem, realm }) => realm === one.realm && pem === one.pem);
    const lost = this.issuers.filter((one) => !isThere(one)).map(({ realm }) => realm);
    if (lost.length > 0 || issuers.length !== this.issuers.length) this.number += 1;
    const next = new Map(authorities.map((one) => [one.realm, one]));
    const regraded = [...this.foreign].filter(([realm, { roles }]) => !isSame(roles, next.get(realm)?.roles));
    this.issuers = issuers;
    this.foreign = next;
    return [...new Set([...lost, ...regraded.map(([realm]) => realm)])].filter((realm) => realm !== OWN_REALM);
  }
}

function isSame(before: readonly string[] | undefined, after: readonly string[] | undefined): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
