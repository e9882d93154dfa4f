// Signatures under lists and answers about revocation: which algorithms count, and whether a key made one.

import { constants, type KeyObject, verify } from 'node:crypto';
import { elementAt, expectTag, fewOf, oidText, TAG } from './der.ts';
import { parsePssHash } from './pss.ts';

export interface Signed {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  /** The AlgorithmIdentifier, DER: what it says beside its name counts as well. */
  readonly algorithm: Uint8Array;
}

/** True if the key made the signature; throws an Error for an algorithm that is not taken. */
export function isSignedBy(key: KeyObject, { bytes, signature, algorithm: der }: Signed): boolean {
  const [name, parameters] = fewOf(der, expectTag(elementAt(der, 0, der.length), TAG.sequence), 2);
  const algorithm = oidText(der, name);
  if (algorithm === RSASSA_PSS) {
    const { hash, saltLength } = parsePssHash(der, parameters);
    if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'rsa-pss') return false;
    return verify(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature);
  }
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
const RSASSA_PSS = '1.2.840.113549.1.1.10';

/** md5WithRSA, sha1WithRSA, ecdsa-with-SHA1. */
const BROKEN: ReadonlySet<string> = new Set(['1.2.840.113549.1.1.4', '1.2.840.113549.1.1.5', '1.2.840.10045.4.1']);
const FORGEABLE = 'it is signed by MD5 or SHA-1, which can be forged';
