// The keys of SCRAM-SHA-256 (RFC 5802, 3; RFC 7677): what is stored of a password, and what can be computed from that.

import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Verifier } from '../../ports/directory.ts';
import { inHashTurn } from '../password/hash-turn.ts';

export type ScramVerifier = Extract<Verifier, { kind: 'scram-sha-256' }>;

/** Undefined for a password that SASLprep (RFC 4013) does not allow. */
export async function makeScramVerifier(password: string): Promise<ScramVerifier | undefined> {
  const prepared = await prepare(password);
  if (prepared === undefined) return undefined;
  const salt = randomBytes(SALT_BYTES);
  const salted = await inHashTurn(() => derive(prepared, salt, ITERATIONS, KEY_BYTES, 'sha256'));
  const { storedKey, serverKey } = keysOf(salted);
  return {
    kind: 'scram-sha-256',
    salt: salt.toString('base64'),
    iterations: ITERATIONS,
    storedKey: storedKey.toString('base64'),
    serverKey: serverKey.toString('base64'),
  };
}

/** Both keys of a SaltedPassword. */
export function keysOf(salted: Uint8Array): { readonly storedKey: Buffer; readonly serverKey: Buffer } {
  return { storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
}

/** True if the proof was made with the password behind `storedKey`. */
export function isProof(proof: Uint8Array, storedKey: Uint8Array, authMessage: string): boolean {
  if (proof.length !== KEY_BYTES) return false;
  const signature = hmac(storedKey, authMessage);
  const clientKey = signature.map((byte, index) => byte ^ (proof[index] as number));
  return timingSafeEqual(sha256(clientKey), storedKey);
}

export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Loaded where a password is set: its tables are large, and a login never needs them. */
async function prepare(password: string): Promise<string | undefined> {
  const { saslprep } = await import('@mongodb-js/saslprep');
  try {
    const prepared = saslprep(password);
    return prepared === '' ? undefined : prepared;
  } catch {
    return undefined;
  }
}

const derive = promisify(pbkdf2);

/**
 * RFC 7677 asks for 4096 at the least and for a tenth of a second where clients can; this is that on a small computer. A
 * client may keep its ClientKey and compute none of it again.
 */
export const ITERATIONS = 100_000;
export const SALT_BYTES = 16;
export const KEY_BYTES = 32;
