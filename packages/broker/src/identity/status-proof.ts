// Where a certificate has proven who comes and somebody else has to say whether it was revoked: has that one asked. Adds nothing
// to a proof and can only refuse it.

import type { ConnectionFacts } from '../ports/connection-facts.ts';
import type { CertificateInUse, TrustFacts } from '../ports/trust.ts';
import type { Proof } from './authenticate.ts';
import { refuseRevoked, revocationOf } from './standing.ts';

export interface StatusProofParts {
  readonly trust: TrustFacts;
  readonly certificateOf: (facts: ConnectionFacts) => CertificateInUse | undefined;
}

export function createStatusProof({ trust, certificateOf }: StatusProofParts): Proof {
  return ({ facts }) => {
    const certificate = certificateOf(facts);
    if (certificate === undefined) return undefined;
    const asked = trust.revoked?.ask?.(certificate);
    return asked?.then((refusal) =>
      revocationOf(certificate, trust) === undefined ? refusal : refuseRevoked(certificate),
    );
  };
}
