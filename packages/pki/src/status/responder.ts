// Who may answer for a CA (RFC 6960, 4.2.2.2): the CA itself, or a certificate that it issued for that and nothing else will do.

import { type KeyObject, X509Certificate } from 'node:crypto';
import { bitsOf, elementAt, expectTag, fewOf, TAG } from './der.ts';
import { isSignedBy, type Signed } from './signature.ts';
import { nameText, type StatusIssuer } from './status-issuer.ts';

export interface SignedAnswer {
  readonly signed: Signed;
  /** What the answer brings along, DER. */
  readonly certificates: readonly Uint8Array[];
}

/** A certificate that signed an answer in place of its CA. */
export interface Delegate {
  /** Upper-case hexadecimal without leading zeros. */
  readonly serial: string;
}

/** Who of those who may has signed it: the CA (undefined) or a delegate. Throws an Error that says why it counts for nothing. */
export function signerOf(
  { signed, certificates }: SignedAnswer,
  issuer: StatusIssuer,
  nowMs: number,
): Delegate | undefined {
  if (isSignedBy(issuer.key, signed)) return undefined;
  if (certificates.length > CERTIFICATES_MAX)
    throw new Error(`the answer brings more than ${CERTIFICATES_MAX} certificates`);
  for (const der of certificates) {
    const certificate = new X509Certificate(der);
    if (!isSignedBy(certificate.publicKey, signed)) continue;
    const unfit = unfitnessOf(certificate, der, issuer, nowMs);
    if (unfit !== undefined) throw new Error(`the answer is signed by ${nameText(certificate.subject)}, ${unfit}`);
    return { serial: certificate.serialNumber.toUpperCase().replace(/^0+(?=.)/, '') };
  }
  throw new Error(`the answer is not signed by ${issuer.name}, nor by anybody it brings along`);
}

function unfitnessOf(
  certificate: X509Certificate,
  der: Uint8Array,
  issuer: StatusIssuer,
  nowMs: number,
): string | undefined {
  if (!certificate.checkIssued(issuer.certificate) || !isIssuedBy(der, issuer))
    return `which ${issuer.name} did not issue`;
  if (certificate.keyUsage?.includes(OCSP_SIGNING) !== true) return 'whose certificate is not for signing answers';
  if (!(nowMs >= Date.parse(certificate.validFrom) && nowMs < Date.parse(certificate.validTo)))
    return 'whose certificate is not valid now';
  return isStrong(certificate.publicKey) ? undefined : 'whose key is too weak';
}

/** By our own reading: node:crypto would take a signature by SHA-1. */
function isIssuedBy(der: Uint8Array, { key }: StatusIssuer): boolean {
  const [toBeSigned, algorithm, signature] = fewOf(der, elementAt(der, 0, der.length), 3);
  const signed = expectTag(toBeSigned, TAG.sequence);
  const named = expectTag(algorithm, TAG.sequence);
  return isSignedBy(key, {
    bytes: der.subarray(signed.at, signed.to),
    algorithm: der.subarray(named.at, named.to),
    signature: bitsOf(der, signature),
  });
}

function isStrong({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (asymmetricKeyType === 'rsa' || asymmetricKeyType === 'rsa-pss')
    return (details?.modulusLength ?? 0) >= RSA_BITS_MIN;
  return asymmetricKeyType === 'ed25519' || CURVES.has(details?.namedCurve ?? '');
}

/** id-kp-OCSPSigning. */
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const RSA_BITS_MIN = 2048;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const CERTIFICATES_MAX = 4;
