// Whether what proved a connection still holds while it lives: its certificate not taken back, its identity registered and
// active. Asked when something was taken away, and once more before a CONNECT is answered; never waits.

import type { TlsFacts } from '../ports/connection-facts.ts';
import type { IdentityDirectory } from '../ports/directory.ts';
import type { CheckOutsider, Fallen, Guards } from '../ports/guards.ts';
import type { Identity } from '../ports/identity.ts';
import { type RevokedCertificate, revokedKey, type TrustFacts } from '../ports/trust.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';
import type { CertificateProof } from './certificate.ts';
import { checkProvable } from './provable-names.ts';
import { isForeign, REGISTERED } from './recall.ts';

export interface StandingParts {
  readonly directory: IdentityDirectory;
  readonly trust: TrustFacts;
  /** The certificate that proved a connection; it leaves with the connection. */
  readonly proofs: WeakMap<TlsFacts, CertificateProof>;
  readonly checkOutsider?: CheckOutsider | undefined;
}

export function createStanding({
  directory,
  trust,
  proofs,
  checkOutsider,
}: StandingParts): NonNullable<Guards['standing']> {
  return ({ tls }, identity, token) => {
    const proof = tls === undefined ? undefined : proofs.get(tls);
    const revoked = proof === undefined ? undefined : revocationOf(proof, trust);
    if (proof !== undefined && revoked !== undefined) {
      return { refusal: refuseRevoked(proof), superseded: revoked.superseded };
    }
    if (REGISTERED.test(identity.realm)) return checkRegistered(directory, trust, identity);
    const refusal = checkOutsider?.({ ...identity, ...(token === undefined ? {} : { token }) });
    return refusal === undefined ? undefined : { refusal, superseded: false };
  };
}

/** How a certificate was taken back; undefined = it was not. */
export function revocationOf(
  proof: Pick<CertificateProof, 'realm' | 'serial' | 'issuer'>,
  { revoked }: TrustFacts,
): RevokedCertificate | undefined {
  if (revoked === undefined) return undefined;
  return revoked.find(revokedKey(proof.realm, proof.serial), proof.issuer);
}

export function refuseRevoked({ name }: Pick<CertificateProof, 'name'>): Refusal {
  return refuse('not-authorized', `the certificate of ${name} was revoked`, 'identity.revocation');
}

function checkRegistered(
  directory: IdentityDirectory,
  { foreign }: TrustFacts,
  { realm, name }: Identity,
): Fallen | undefined {
  if (isForeign(realm)) {
    const refusal = checkAuthority(foreign, realm, name);
    if (refusal !== undefined) return { refusal, superseded: false };
  }
  const known = directory.find(realm, name);
  // Whom its authority may let in by itself was never registered.
  if (known === undefined && foreign?.get(realm)?.roles !== undefined) return undefined;
  if (known?.state === 'active') return undefined;
  const because = known === undefined ? `${name} was removed from the registry` : `${name} is disabled in the registry`;
  return { refusal: refuse('not-authorized', because, 'identity.directory'), superseded: false };
}

/** Whether a foreign authority is there at all, and may prove that name. */
function checkAuthority(foreign: TrustFacts['foreign'], realm: string, name: string): Refusal | undefined {
  const authority = foreign?.get(realm);
  if (authority !== undefined) return checkProvable(name, authority.names, `the authority ${realm}`, 'tls.clientCa');
  return refuse('not-authorized', `the authority ${realm} of ${name} is not trusted any more`, 'tls.clientCa');
}
