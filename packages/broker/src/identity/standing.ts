// Whether what proved a connection still holds while it lives: its certificate not taken back, its identity registered and
// active. Asked when something was taken away, and once more before a CONNECT is answered; never waits.

import type { TlsFacts } from '../ports/connection-facts.ts';
import type { IdentityDirectory } from '../ports/directory.ts';
import type { CheckOutsider, Fallen, Guards } from '../ports/guards.ts';
import type { Identity } from '../ports/identity.ts';
import { type RevokedCertificate, revokedKey, type TrustFacts } from '../ports/trust.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';
import type { CertificateProof } from './certificate.ts';
import { checkAuthority, isForeign, REGISTERED } from './recall.ts';

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
    if (directory.find(identity.realm, identity.name)?.state === 'disabled') return refuseDisabled(identity);
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
  if (known !== undefined) return refuseDisabled({ name });
  const because = `${name} was removed from the registry`;
  return { refusal: refuse('not-authorized', because, 'identity.directory'), superseded: false };
}

function refuseDisabled({ name }: Pick<Identity, 'name'>): Fallen {
  const refusal = refuse('not-authorized', `${name} is disabled in the registry`, 'identity.directory');
  return { refusal, superseded: false };
}
