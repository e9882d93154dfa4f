// The authority's own certificates as the proof of identity wants them.

import type { TrustFacts } from '@motte/broker/ports/trust';
import { OWN_REALM } from '@motte/pki/protocol';

/** Root and issuing CA, PEM one after the other, both of Motte's own realm. */
export function trustFrom(clientCa: string): TrustFacts {
  const blocks = clientCa.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  return { number: 1, issuers: blocks.map((pem) => ({ pem, realm: OWN_REALM })) };
}
