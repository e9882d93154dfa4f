// argon2id (RFC 9106) as OWASP's Password Storage Cheat Sheet asks for at the least: 19 MiB, two passes, one lane. Of the
// settings it calls equal this one takes most memory, which is what attackers with graphics cards lack; more would not fit
// beside a broker on the smallest Raspberry Pi, where one hash takes about a third of a second.

import { randomBytes } from 'node:crypto';
import { type Algorithm, hash, verify } from '@node-rs/argon2';

/** The two expensive calls, apart from all else so that tests can count them. */
export interface Hashing {
  /** In PHC format. */
  hash(password: Uint8Array): Promise<string>;
  /** False also for a hash that cannot be read. */
  verify(hash: string, password: Uint8Array): Promise<boolean>;
}

export const ARGON2: Hashing = {
  hash: (password) => hash(password, OPTIONS),
  verify: (text, password) => verify(text, password).catch(() => false),
};

/** True for what is not hashed as it would be today. */
export function isOutdated(text: string): boolean {
  return !text.startsWith(PREFIX);
}

/** True for a hash that another program made at a price that a login may cost here. */
export function isAffordable(text: string): boolean {
  const match = PHC.exec(text);
  if (match === null) return false;
  const [memoryKib = 0, passes = 0, lanes = 0] = match.slice(1).map(Number);
  return memoryKib >= 8 * lanes && memoryKib <= MEMORY_KIB_MAX && memoryKib * passes <= WORK_KIB_MAX;
}

/** A hash of nothing, under the parameters of today: to check a password against where there is no user. */
export function makeDecoyHash(): string {
  const random = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '');
  return `${PREFIX}${random(SALT_BYTES)}$${random(HASH_BYTES)}`;
}

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
/** Argon2id; the package's enum exists for the compiler alone. */
const ARGON2ID = 2 as Algorithm.Argon2id;
const OPTIONS = {
  algorithm: ARGON2ID,
  memoryCost: MEMORY_KIB,
  timeCost: PASSES,
  parallelism: LANES,
  outputLen: HASH_BYTES,
};
const PHC =
  /^\$argon2id\$v=19\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]{0,2}),p=([1-9])\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}$/;
/** RFC 9106 recommends 64 MiB where memory is scarce. */
const MEMORY_KIB_MAX = 131_072;
/** Memory times passes: some ten times ours, seconds of the smallest Raspberry Pi. */
const WORK_KIB_MAX = 409_600;
const PREFIX = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$`;
