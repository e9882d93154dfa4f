// What a client's certificate proves, by our own reading: a path to a trusted CA, purpose, key size, name. Dates and revocation change with time and are checked apart, at every CONNECT. OpenSSL has checked the path in the
// handshake already; this does not rely on it, because on a resumed one it has checked nothing.

import { X509Certificate } from 'node:crypto';
import { deviceNameOf, OWN_REALM } from '@motte/pki/protocol';
import type { CertificateName, ListenerFacts } from '../ports/connection-facts.ts';
import type { TrustFacts } from '../ports/trust.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';
import { Authorities } from './authorities.ts';
import { certificateNameOf } from './certificate-name.ts';
import { weaknessOf } from './key-strength.ts';
import { readExtensions } from './x509-extensions.ts';

/** The lasting facts of a certificate that leads to a trusted CA. */
export interface CertificateProof {
  readonly realm: string;
  readonly name: string;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the DER of the CA that signed it, lower-case hex. */
  readonly issuer: string;
  /** Wall-clock time in ms; the narrowest of the certificate and the CAs above it. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The trusted CAs as they were when `number` was read. Throws if one of them is not a CA certificate. */
export class Trust {
  readonly number: number;
  readonly #authorities: Authorities;

  constructor({ number, issuers }: TrustFacts) {
    this.number = number;
    this.#authorities = new Authorities(issuers);
  }

  /** What the leaf certificate (DER) proves on a listener under these CAs, whatever the time is. */
  check(
    certificate: Uint8Array,
    { clientCa = OWN_REALMS, certificateName = BY_COMMON_NAME }: ListenerFacts,
  ): CertificateProof | Refusal {
    let leaf: X509Certificate;
    try {
      leaf = new X509Certificate(certificate);
    } catch {
      return refuse('not-authorized', 'the certificate cannot be read', RULE);
    }
    const paths = this.#authorities.pathsOf(leaf, clientCa);
    if (typeof paths === 'string')
      return refuse('not-authorized', `the certificate leads to no trusted CA: ${paths}`, RULE);
    const [path] = paths;
    if (path === undefined) {
      const because = `a foreign certificate: its issuer (${oneLine(leaf.issuer)}) is none that this listener trusts`;
      return refuse('not-authorized', because, RULE);
    }
    if (paths.length > 1)
      return refuse('not-authorized', 'the certificate leads to several authorities: whose is it?', RULE);
    const unfit = unfitnessOf(leaf);
    if (unfit !== undefined) return refuse('not-authorized', unfit, RULE);
    const name = path.realm === OWN_REALM ? ownNameOf(leaf) : certificateNameOf(leaf, certificateName);
    if (typeof name !== 'string') return name;
    const proof: CertificateProof = {
      realm: path.realm,
      name,
      serial: leaf.serialNumber,
      issuer: path.issuer,
      notBeforeMs: Math.max(Date.parse(leaf.validFrom), path.notBeforeMs),
      notAfterMs: Math.min(Date.parse(leaf.validTo), path.notAfterMs),
    };
    return proof;
  }
}

/** Why a certificate can prove no client, whoever issued it; undefined if it can. */
function unfitnessOf(leaf: X509Certificate): string | undefined {
  if (leaf.ca) return "a CA's certificate proves no device";
  // What Node calls keyUsage is the extended key usage. One without any passes OpenSSL, and is refused here.
  if (leaf.keyUsage?.includes(CLIENT_AUTH) !== true) {
    return 'a certificate for another purpose: its extended key usage lacks clientAuth';
  }
  const weak = weaknessOf(leaf.publicKey);
  if (weak !== undefined) return `the certificate's key is too weak: ${weak}`;
  const { keyUsage, critical, signature } = readExtensions(leaf.raw);
  if (keyUsage?.digitalSignature === false) return 'a certificate for another purpose: its key may not sign';
  if (BROKEN_SIGNATURES.has(signature)) return 'the certificate is signed by MD5 or SHA-1, which can be forged';
  const unknown = critical.find((id) => !UNDERSTOOD.has(id));
  return unknown === undefined
    ? undefined
    : `the certificate has a critical extension that is not known here: ${unknown}`;
}

function ownNameOf(leaf: X509Certificate): string | Refusal {
  const name = deviceNameOf(leaf);
  if (name !== undefined) return name;
  const because = `the certificate (${oneLine(leaf.subject)}) does not say the name of a device as its CA's profile does`;
  return refuse('not-authorized', because, RULE);
}

/** Refuses a certificate that is not valid at this time; a date that cannot be read is none. */
export function checkDates(proof: CertificateProof, nowMs: number): Refusal | undefined {
  if (!(nowMs >= proof.notBeforeMs)) {
    const because = `the certificate of ${proof.name} is not yet valid: it starts ${timeText(proof.notBeforeMs)}`;
    return refuse('not-authorized', because, RULE);
  }
  if (!(nowMs < proof.notAfterMs)) {
    const because = `the certificate of ${proof.name} has expired: it ended ${timeText(proof.notAfterMs)}`;
    return refuse('not-authorized', because, RULE);
  }
  return undefined;
}

function oneLine(name: string): string {
  return name
    .replaceAll('\n', ', ')
    .replace(/[^ -~]/g, '?')
    .slice(0, NAME_SHOWN);
}

function timeText(ms: number): string {
  return Number.isNaN(ms) ? 'at no date that can be read' : new Date(ms).toISOString();
}

const RULE = 'identity.certificate';
/** id-kp-clientAuth, RFC 5280 4.2.1.12. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
/** basicConstraints, keyUsage, extKeyUsage, subjectAltName, both key identifiers; policies bind nothing here. */
const UNDERSTOOD: ReadonlySet<string> = new Set(['551d13', '551d0f', '551d25', '551d11', '551d23', '551d0e', '551d20']);
/** md5WithRSA, sha1WithRSA, ecdsa-with-SHA1; and MD5 and SHA-1 themselves, under RSASSA-PSS. */
const BROKEN_SIGNATURES: ReadonlySet<string> = new Set([
  ...['2a864886f70d010104', '2a864886f70d010105', '2a8648ce3d0401'],
  ...['2a864886f70d0205', '2b0e03021a'],
]);
const OWN_REALMS: readonly string[] = [OWN_REALM];
const BY_COMMON_NAME: CertificateName = { from: 'cn' };
const NAME_SHOWN = 120;
