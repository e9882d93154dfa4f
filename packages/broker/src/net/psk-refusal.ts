// Explains why a handshake with a pre-shared key failed. The peer sees the same alert for a key that is wrong and for a name
// that is nobody's; the operator is told which it was.

import type { ProvenKey } from '../ports/psk.ts';
import type { TransportRefusal } from './arrivals.ts';

/** Undefined for what has nothing to do with the key. */
export function explainPskFailure(code: string, asked: ProvenKey | undefined): TransportRefusal | undefined {
  if (WRONG_KEY.has(code) && asked !== undefined) {
    const seen = 'a TLS alert, the same for a name and for a key';
    const { identity } = asked;
    return asked.keyId === undefined
      ? {
          reason: 'not-authorized',
          because: `no device ${identity} with a pre-shared key is registered`,
          rule: 'identity.directory',
          seen,
        }
      : {
          reason: 'not-authorized',
          because: `the client does not hold the pre-shared key of ${identity}`,
          rule: 'identity.psk',
          seen,
        };
  }
  if (!NO_KEY.has(code)) return undefined;
  return {
    reason: 'not-authorized',
    because: 'the client came without a pre-shared key, or with one that only fits suites without forward secrecy',
    rule: 'listeners.authentication',
    seen: 'TLS alert 40, handshake failure',
  };
}

/** TLS 1.3 checks the binder, TLS 1.2 whether it can read what comes encrypted. */
const WRONG_KEY: ReadonlySet<string> = new Set([
  'ERR_SSL_BINDER_DOES_NOT_VERIFY',
  'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
  'ERR_SSL_DIGEST_CHECK_FAILED',
]);
const NO_KEY: ReadonlySet<string> = new Set([
  'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  'ERR_SSL_NO_SHARED_CIPHER',
  'ERR_SSL_PSK_IDENTITY_NOT_FOUND',
  'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS',
]);
