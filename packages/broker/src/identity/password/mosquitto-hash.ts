// Hashes as mosquitto_passwd writes them: `$6$SALT$HASH`, SHA-512 over password and salt, once; `$7$ITERATIONS$SALT$HASH`,
// PBKDF2 with HMAC-SHA-512. Salt and hash are base64. Good for reading only: a login replaces them.

import { createHash, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** False also for a text that is not such a hash. */
export async function verifyMosquittoHash(text: string, password: Uint8Array): Promise<boolean> {
  const parsed = parseMosquittoHash(text);
  if (parsed === undefined) return false;
  const { iterations, salt, hash } = parsed;
  const made =
    iterations === 0
      ? createHash('sha512').update(password).update(salt).digest()
      : await derive(password, salt, iterations, HASH_BYTES, 'sha512');
  return timingSafeEqual(made, hash);
}

interface MosquittoHash {
  /** 0 = `$6$`. */
  readonly iterations: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Undefined for anything else. */
export function parseMosquittoHash(text: string): MosquittoHash | undefined {
  const match = /^\$(?:6|7\$([1-9][0-9]{0,6}))\$([A-Za-z0-9+/]{1,128}={0,2})\$([A-Za-z0-9+/]{86}==)$/.exec(text);
  if (match === null) return undefined;
  const [, iterations = '0', salt = '', hash = ''] = match;
  if (Number(iterations) > ITERATIONS_MAX) return undefined;
  return {
    iterations: Number(iterations),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

const derive = promisify(pbkdf2);
const HASH_BYTES = 64;
/** About a second of a small machine; mosquitto's own default is 101, later 1000. */
const ITERATIONS_MAX = 1_000_000;
