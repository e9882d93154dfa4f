// What a client's certificate proves, by our own reading: issuer signature against the trusted CAs, purpose, key size,
// name. Dates and revocation change with time and are checked apart, at every CONNECT. OpenSSL has checked the path in the
// handshake already; this does not rely on it, because on a resumed one it has checked nothing.

import { type KeyObject, X509Certificate } from 'node:crypto';
import { deviceNameOf, isDeviceName, OWN_REALM } from '@motte/pki/protocol';
import type { TrustFacts } from '../ports/trust.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';

/** The lasting facts of a certificate that leads to a trusted CA. */
export interface CertificateProof {
  readonly realm: string;
  readonly name: string;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the DER of the CA that signed it, lower-case hex. */
  readonly issuer: string;
  /** Wall-clock time in ms; the narrowest of the certificate and its issuer. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Parsed CAs with the realms they speak for. Throws if one of them is not a CA certificate. */
export class Trust {
  readonly number: number;
  readonly #issuers: readonly { readonly ca: X509Certificate; readonly key: KeyObject; readonly realm: string }[];

  constructor(facts: TrustFacts) {
    this.number = facts.number;
    this.#issuers = facts.issuers.map(({ pem, realm }) => {
      const ca = new X509Certificate(pem);
      if (!ca.ca) throw new Error(`${ca.subject} is not a CA`);
      return { ca, key: ca.publicKey, realm };
    });
  }

  /** What the leaf certificate (DER) proves under these CAs, whatever the time is. */
  check(certificate: Uint8Array): CertificateProof | Refusal {
    let leaf: X509Certificate;
    try {
      leaf = new X509Certificate(certificate);
    } catch {
      return refuse('not-authorized', 'the certificate cannot be read', RULE);
    }
    const issuer = this.#issuers.find(({ ca, key }) => leaf.checkIssued(ca) && leaf.verify(key));
    if (issuer === undefined) {
      const because = `a foreign certificate: its issuer (${oneLine(leaf.issuer)}) is none that this listener trusts`;
      return refuse('not-authorized', because, RULE);
    }
    if (leaf.ca) return refuse('not-authorized', "a CA's certificate proves no device", RULE);
    // What Node calls keyUsage is the extended key usage. One without any passes OpenSSL, and is refused here.
    if (leaf.keyUsage?.includes(CLIENT_AUTH) !== true) {
      return refuse(
        'not-authorized',
        'a certificate for another purpose: its extended key usage lacks clientAuth',
        RULE,
      );
    }
    const weak = weaknessOf(leaf.publicKey);
    if (weak !== undefined) return refuse('not-authorized', `the certificate's key is too weak: ${weak}`, RULE);
    const name = issuer.realm === OWN_REALM ? deviceNameOf(leaf) : commonNameOf(leaf);
    if (name === undefined) {
      const because = `the certificate (${oneLine(leaf.subject)}) does not say the name of a device as its CA's profile does`;
      return refuse('not-authorized', because, RULE);
    }
    return {
      realm: issuer.realm,
      name,
      serial: leaf.serialNumber,
      issuer: issuer.ca.fingerprint256.replaceAll(':', '').toLowerCase(),
      notBeforeMs: Math.max(Date.parse(leaf.validFrom), Date.parse(issuer.ca.validFrom)),
      notAfterMs: Math.min(Date.parse(leaf.validTo), Date.parse(issuer.ca.validTo)),
    };
  }
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

/** The one common name, if it may name a device; multi-valued and repeated ones are not taken. */
function commonNameOf(leaf: X509Certificate): string | undefined {
  const names = leaf.subject.split('\n').filter((line) => line.startsWith('CN='));
  const name = names[0]?.slice('CN='.length);
  return names.length === 1 && name !== undefined && isDeviceName(name) ? name : undefined;
}

function weaknessOf(key: KeyObject): string | undefined {
  const type = key.asymmetricKeyType ?? 'unknown';
  const { modulusLength = 0, namedCurve = 'explicit' } = key.asymmetricKeyDetails ?? {};
  if (type === 'rsa' || type === 'rsa-pss')
    return modulusLength >= RSA_BITS_MIN ? undefined : `RSA of ${modulusLength} bits`;
  if (type === 'ec') return CURVES.has(namedCurve) ? undefined : `curve ${namedCurve}`;
  return type === 'ed25519' || type === 'ed448' ? undefined : `type ${type}`;
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
const RSA_BITS_MIN = 2048;
const CURVES: ReadonlySet<string> = new Set([
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
]);
const NAME_SHOWN = 120;
