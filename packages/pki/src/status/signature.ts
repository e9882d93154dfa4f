// Signatures under lists and answers about revocation: which algorithms count, and whether a key made one.

import { type KeyObject, verify } from 'node:crypto';

export interface Signed {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  /** Object identifier with dots. */
  readonly algorithm: string;
}

/** True if the key made the signature; throws an Error for an algorithm that is not taken. */
export function isSignedBy(key: KeyObject, { bytes, signature, algorithm }: Signed): boolean {
  const known = ALGORITHMS.get(algorithm);
  if (known === undefined)
    throw new Error(BROKEN.has(algorithm) ? FORGEABLE : `it is signed by ${algorithm}, which is not taken here`);
  if (key.asymmetricKeyType !== known.key) return false;
  return verify(known.hash, bytes, key, signature);
}

/** RFC 5758, 4055, 8410. */
const ALGORITHMS: ReadonlyMap<string, { readonly key: string; readonly hash: string | undefined }> = new Map([
  ['1.2.840.10045.4.3.2', { key: 'ec', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { key: 'ec', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { key: 'ec', hash: 'sha512' }],
  ['1.2.840.113549.1.1.11', { key: 'rsa', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { key: 'rsa', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { key: 'rsa', hash: 'sha512' }],
  ['1.3.101.112', { key: 'ed25519', hash: undefined }],
]);

/** md5WithRSA, sha1WithRSA, ecdsa-with-SHA1. */
const BROKEN: ReadonlySet<string> = new Set(['1.2.840.113549.1.1.4', '1.2.840.113549.1.1.5', '1.2.840.10045.4.1']);
const FORGEABLE = 'it is signed by MD5 or SHA-1, which can be forged';
