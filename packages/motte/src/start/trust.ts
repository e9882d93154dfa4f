// The authority's own certificates as the proof of identity wants them. They change while the CA is being replaced.

import type { RevokedCertificates, TrustedIssuer, TrustFacts } from '@motte/broker/ports/trust';
import { OWN_REALM } from '@motte/pki/protocol';

export interface LiveTrust extends TrustFacts {
  /** Roots and issuing CAs, PEM one after the other; what was proven before is proven anew if they are others. */
  set(clientCa: string): void;
}

/** Roots and issuing CAs, PEM one after the other, all of Motte's own realm. */
export function trustFrom(clientCa: string, revoked: RevokedCertificates): LiveTrust {
  let issuers = issuersIn(clientCa);
  let number = 1;
  return {
    get number() {
      return number;
    },
    get issuers() {
      return issuers;
    },
    revoked,
    set(next) {
      const fresh = issuersIn(next);
      if (JSON.stringify(fresh) === JSON.stringify(issuers)) return;
      issuers = fresh;
      number += 1;
    },
  };
}

function issuersIn(pem: string): readonly TrustedIssuer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  return blocks.map((block) => ({ pem: block, realm: OWN_REALM }));
}
