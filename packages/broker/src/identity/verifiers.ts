// Verifiers for new passwords: what the registry keeps of one. What a good password is, whoever sets it decides.

import type { Verifier } from '../ports/directory.ts';
import { PASSWORD_REALM, type UserRealm } from '../ports/users.ts';
import { ARGON2 } from './password/argon2.ts';
import { inHashTurn } from './password/hash-turn.ts';
import { parseMosquittoHash } from './password/mosquitto-hash.ts';
import { makeScramVerifier } from './scram/keys.ts';

/** Undefined for a password that a client of this realm cannot send. */
export async function makeVerifier(realm: UserRealm, password: string): Promise<Verifier | undefined> {
  if (realm !== PASSWORD_REALM) return makeScramVerifier(password);
  return { kind: 'argon2id', hash: await inHashTurn(() => ARGON2.hash(Buffer.from(password))) };
}

/** True for a hash that a login can be checked against; see Verifier. */
export function isMosquittoHash(text: string): boolean {
  return parseMosquittoHash(text) !== undefined;
}
