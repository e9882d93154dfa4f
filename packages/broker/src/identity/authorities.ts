// The trusted CAs, and the path from a client's certificate to one of them (RFC 5280, 6), by our own reading: signatures, CA
// and key usage bits, lengths, dates. Only certificates that were configured stand in a path; what a peer sends along is not
// looked at. In each realm the certificates that no other of it issued are where paths end.

import { type KeyObject, X509Certificate } from 'node:crypto';
import { OWN_REALM } from '@motte/pki/protocol';
import type { TrustFacts } from '../ports/trust.ts';
import { weaknessOf } from './key-strength.ts';
import { readExtensions } from './x509-extensions.ts';

export interface CertificatePath {
  readonly realm: string;
  /** SHA-256 of the DER of the CA that signed the leaf, lower-case hex. */
  readonly issuer: string;
  /** Wall-clock time in ms; the narrowest of the CAs' validities. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

interface Authority {
  readonly ca: X509Certificate;
  readonly key: KeyObject;
  readonly realm: string;
  readonly pathLength: number;
}

export class Authorities {
  readonly #all: readonly Authority[];

  /** Throws an Error that names a certificate which cannot be trusted as a CA. */
  constructor(issuers: TrustFacts['issuers']) {
    this.#all = issuers.map(({ pem, realm }) => ({ realm, ...parseAuthority(pem, realm !== OWN_REALM) }));
  }

  /** The paths of a leaf, at most one for each realm; a text says why there is none although the issuer is known. */
  pathsOf(leaf: X509Certificate, realms: readonly string[]): CertificatePath[] | string {
    const found = new Map<string, CertificatePath>();
    let why: string | undefined;
    for (const issuer of this.#issuersOf(leaf, (one) => realms.includes(one.realm))) {
      const path = this.#climb([issuer]);
      if (typeof path === 'string') why = path;
      else if (!found.has(path.realm)) found.set(path.realm, path);
    }
    return found.size === 0 && why !== undefined ? why : [...found.values()];
  }

  /** Goes up from the CA that comes last until one that no other of its realm issued. */
  #climb(chain: readonly Authority[]): CertificatePath | string {
    const last = chain.at(-1) as Authority;
    // `chain` has as many CAs below the last one as it has others; a leaf is not counted (4.2.1.9).
    if (last.pathLength < chain.length - 1) return `${nameOf(last.ca)} may not have ${chain.length - 1} CAs below it`;
    const above = this.#issuersOf(last.ca, (one) => one.realm === last.realm && !chain.includes(one));
    if (above.length === 0) {
      return {
        realm: last.realm,
        issuer: (chain[0] as Authority).ca.fingerprint256.replaceAll(':', '').toLowerCase(),
        notBeforeMs: Math.max(...chain.map(({ ca }) => Date.parse(ca.validFrom))),
        notAfterMs: Math.min(...chain.map(({ ca }) => Date.parse(ca.validTo))),
      };
    }
    if (chain.length >= CAS_MAX) return `the path has more than ${CAS_MAX + 1} certificates`;
    let why = '';
    for (const issuer of above) {
      const path = this.#climb([...chain, issuer]);
      if (typeof path !== 'string') return path;
      why = path;
    }
    return why;
  }

  #issuersOf(certificate: X509Certificate, fits: (authority: Authority) => boolean): Authority[] {
    return this.#all.filter((one) => fits(one) && certificate.checkIssued(one.ca) && certificate.verify(one.key));
  }
}

/** A certificate that may issue others; throws an Error that names it otherwise. `isForeign`: what our own never has is refused. */
export function parseAuthority(pem: string, isForeign: boolean): Omit<Authority, 'realm'> {
  const ca = new X509Certificate(pem);
  if (!ca.ca) throw new Error(`${nameOf(ca)} is not a CA`);
  const key = ca.publicKey;
  const { pathLength, keyUsage, hasNameConstraints } = readExtensions(ca.raw);
  if (!isForeign) return { ca, key, pathLength };
  if (keyUsage !== undefined && !keyUsage.certificateSign) throw new Error(`${nameOf(ca)} may not sign certificates`);
  const weak = weaknessOf(key);
  if (weak !== undefined) throw new Error(`the key of ${nameOf(ca)} is too weak: ${weak}`);
  if (hasNameConstraints) throw new Error(`${nameOf(ca)} has name constraints, which are not read here: use \`names\``);
  return { ca, key, pathLength };
}

function nameOf(ca: X509Certificate): string {
  return (ca.subject ?? 'a CA without a name')
    .replaceAll('\n', ', ')
    .replace(/[^ -~]/g, '?')
    .slice(0, NAME_SHOWN);
}

/** Between a leaf and the end of its path, both ends of the chain of four counted. */
const CAS_MAX = 3;
const NAME_SHOWN = 120;
