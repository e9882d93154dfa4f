// Which public keys are strong enough to prove anything here.

import type { KeyObject } from 'node:crypto';

/** What is too weak about a key; undefined if nothing is. */
export function weaknessOf(key: KeyObject): string | undefined {
  const type = key.asymmetricKeyType ?? 'unknown';
  const { modulusLength = 0, namedCurve = 'explicit' } = key.asymmetricKeyDetails ?? {};
  if (type === 'rsa' || type === 'rsa-pss')
    return modulusLength >= RSA_BITS_MIN ? undefined : `RSA of ${modulusLength} bits`;
  if (type === 'ec') return CURVES.has(namedCurve) ? undefined : `curve ${namedCurve}`;
  return type === 'ed25519' || type === 'ed448' ? undefined : `type ${type}`;
}

const RSA_BITS_MIN = 2048;
const CURVES: ReadonlySet<string> = new Set([
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
]);
