// Proves who is behind a CONNECT by the certificate of its connection, on a full and on a resumed handshake alike. It reads the
// evidence itself and never asks TLS whether a peer is authorised: after a resumption that answer says nothing. On a
// listener without authentication everybody is the same.

import type { Clock } from '../ports/clock.ts';
import type { TlsFacts } from '../ports/connection-facts.ts';
import type { IdentityDirectory } from '../ports/directory.ts';
import type { Evidence, Proven } from '../ports/guards.ts';
import { type Identity, OWN_REALM } from '../ports/identity.ts';
import type { TrustFacts } from '../ports/trust.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';
import { type CertificateProof, checkDates, Trust } from './certificate.ts';
import { withListenerRole } from './listener-role.ts';
import { checkProvable } from './provable-names.ts';
import { refuseRevoked, revocationOf } from './standing.ts';

export interface ProveParts {
  readonly clock: Clock;
  readonly directory: IdentityDirectory;
  /** Read at every proof: a changed `number` makes everything that was proven under the old one be proven anew. */
  readonly trust: TrustFacts;
  /** Filled with what proved each connection, for whoever asks later whether that still holds. */
  readonly proofs?: WeakMap<TlsFacts, CertificateProof>;
}

/** Proves the identity of evidence, or says why not; undefined where it takes something else to prove. Nothing here waits. */
export type Prove = (evidence: Evidence) => Proven | Refusal | undefined;

/** Makes the function; it remembers which certificates it has seen in full handshakes, in bounded memory. */
export function createProve(parts: ProveParts): Prove {
  const memory = new ProofMemory();
  let trust: Trust | undefined;

  return (evidence) => {
    const { listener } = evidence.facts;
    if (listener.authentication === 'none') return proven(anonymous(evidence), 0);
    if (!isAsked(evidence)) return undefined;
    if (trust?.number !== parts.trust.number) {
      trust = new Trust(parts.trust);
      memory.clear();
    }
    const proof = proveCertificate(evidence, trust, memory);
    if ('allow' in proof) return proof;
    const refusal = checkDates(proof, parts.clock.nowMs()) ?? checkRevoked(proof, parts.trust);
    if (refusal !== undefined) return refusal;
    const identity = lookUp(proof, evidence, parts);
    if ('allow' in identity) return identity;
    if (evidence.facts.tls !== undefined) parts.proofs?.set(evidence.facts.tls, proof);
    return proven(identity, proof.notAfterMs);
  };
}

/** Where any proof will do, a certificate that is shown has to be a good one. */
function isAsked({ facts: { listener, tls } }: Evidence): boolean {
  const { authentication } = listener;
  return authentication === 'certificate' || (authentication === 'any' && tls?.certificate !== undefined);
}

function proveCertificate(evidence: Evidence, trust: Trust, memory: ProofMemory): CertificateProof | Refusal {
  const { tls, listener } = evidence.facts;
  if (tls?.certificate === undefined || tls.fingerprint === undefined) {
    return refuse(
      'not-authorized',
      'no certificate was presented; this listener demands one',
      'listeners.authentication',
    );
  }
  const key = `${listener.name}\n${tls.fingerprint}`;
  const known = memory.get(key);
  if (known !== undefined) return known;
  if (tls.resumed) {
    const because = 'a resumed TLS session whose certificate was not seen in a full handshake on this listener';
    return refuse('not-authorized', because, 'identity.resumption');
  }
  const proof = trust.check(tls.certificate, listener);
  if (!('allow' in proof)) memory.set(key, proof);
  return proof;
}

function checkRevoked(proof: CertificateProof, trust: TrustFacts): Refusal | undefined {
  if (revocationOf(proof, trust) !== undefined) return refuseRevoked(proof);
  const stale = trust.revoked?.staleOf?.(proof.issuer);
  return stale === undefined ? undefined : refuse('not-authorized', stale, 'revocation.stale');
}

function lookUp({ realm, name }: CertificateProof, evidence: Evidence, parts: ProveParts): Identity | Refusal {
  const foreign = parts.trust.foreign?.get(realm);
  if (realm !== OWN_REALM) {
    const refusal = checkProvable(name, foreign?.names, `the authority ${realm}`, 'tls.clientCa');
    if (refusal !== undefined) return refusal;
  }
  const { role } = evidence.facts.listener;
  const known = parts.directory.find(realm, name);
  if (known === undefined && foreign?.roles !== undefined) {
    return { realm, name, kind: 'device', roles: withListenerRole(foreign.roles, role) };
  }
  if (known === undefined) {
    if (realm !== OWN_REALM) {
      const because = `${name} has a good certificate of ${realm} but is not registered with it`;
      return refuse('not-authorized', because, 'tls.clientCa.roles');
    }
    return refuse('not-authorized', `${name} has a good certificate but is not registered`, 'identity.directory');
  }
  if (known.state !== 'active') {
    return refuse('not-authorized', `${name} is disabled in the registry`, 'identity.directory');
  }
  return { realm, name, kind: known.kind, roles: withListenerRole(known.roles, role) };
}

/** Everyone on a listener without authentication is the same identity; credentials are ignored there. */
function anonymous(evidence: Evidence): Identity {
  const { name, role } = evidence.facts.listener;
  return { realm: `listener:${name}`, name: 'anonymous', kind: 'anonymous', roles: role === undefined ? [] : [role] };
}

function proven(identity: Identity, expiresAtMs: number): Proven {
  return { allow: true, identity, data: undefined, expiresAtMs };
}

/** Certificates that were presented in a full handshake, by listener and fingerprint; two generations, so it stays bounded. */
class ProofMemory {
  #young = new Map<string, CertificateProof>();
  #old = new Map<string, CertificateProof>();

  get(key: string): CertificateProof | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, proof: CertificateProof): void {
    if (this.#young.size >= GENERATION_ENTRIES_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, proof);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

/** Devices that may resume; one that was forgotten is refused until its ticket ends or it handshakes in full. */
const GENERATION_ENTRIES_MAX = 100_000;
