// A JWK set (RFC 7517) to the public keys that may have signed a token. Keys for anything else are passed over; a set with a
// private key in it is refused, for whoever reads it could sign. Bounded: a set comes from another machine.

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { TokenAlgorithm } from './token-issuers.ts';

export interface SigningKey {
  /** Undefined where the set does not name it. */
  readonly id: string | undefined;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly key: KeyObject;
}

/** Throws an Error with one sentence if the text is no key set, or holds no key that can be used. */
export function parseKeySet(text: string): SigningKey[] {
  if (text.length > KEY_SET_BYTES_MAX) throw new Error(`it is larger than ${KEY_SET_BYTES_MAX} bytes`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error('it is not a JSON document');
  }
  const entries = ownField(document, 'keys');
  if (!Array.isArray(entries)) throw new Error('it is not a key set: it has no list `keys`');
  if (entries.length > KEYS_MAX) throw new Error(`it has more than ${KEYS_MAX} keys`);
  const keys = entries.map(parseKey).filter((key) => key !== undefined);
  if (keys.length === 0) throw new Error(`none of its ${entries.length} keys can be used: ${USABLE}`);
  return keys;
}

function parseKey(entry: unknown): SigningKey | undefined {
  if (PRIVATE_FIELDS.some((name) => ownField(entry, name) !== undefined)) {
    throw new Error('it holds a private or secret key: whoever reads it can sign; publish the public keys alone');
  }
  const text = (name: string): string | undefined => {
    const value = ownField(entry, name);
    return typeof value === 'string' ? value : undefined;
  };
  const [use, operations] = [ownField(entry, 'use'), ownField(entry, 'key_ops')];
  if (use !== undefined && use !== 'sig') return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined;
  const id = text('kid');
  if (id !== undefined && id.length > KEY_ID_MAX) return undefined;
  const fields = PUBLIC_FIELDS.flatMap((name) => (text(name) === undefined ? [] : [[name, text(name)]]));
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Object.fromEntries(fields) as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
  const stated = ownField(entry, 'alg');
  const algorithms = algorithmsOf(key).filter((one) => stated === undefined || stated === one);
  return algorithms.length === 0 ? undefined : { id, algorithms, key };
}

function algorithmsOf(key: KeyObject): TokenAlgorithm[] {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      return namedCurve === 'prime256v1' ? ['ES256'] : namedCurve === 'secp384r1' ? ['ES384'] : [];
    case 'ed25519':
      return ['EdDSA'];
    case 'rsa':
      return modulusLength >= RSA_BITS_MIN && modulusLength <= RSA_BITS_MAX ? ['RS256', 'PS256'] : [];
    default:
      return [];
  }
}

function ownField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

export const KEY_SET_BYTES_MAX = 256 * 1024;
const KEYS_MAX = 64;
const KEY_ID_MAX = 256;
const RSA_BITS_MIN = 2048;
/** A check costs with the square of it. */
const RSA_BITS_MAX = 4096;
const PUBLIC_FIELDS = ['kty', 'crv', 'x', 'y', 'n', 'e'];
const PRIVATE_FIELDS = ['d', 'k'];
const USABLE = 'EC P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits, for signatures';
