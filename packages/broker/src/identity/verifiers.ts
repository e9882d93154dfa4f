// Verifiers for new passwords: what the registry keeps of one. What a good password is, whoever sets it decides.

import type { Verifier } from '../ports/directory.ts';
import { PASSWORD_REALM, type UserRealm } from '../ports/users.ts';
import { ARGON2, isAffordable } from './password/argon2.ts';
import { inHashTurn } from './password/hash-turn.ts';
import { parseMosquittoHash } from './password/mosquitto-hash.ts';
import { makeScramVerifier } from './scram/keys.ts';

/** Undefined for a password that a client of this realm cannot send. */
export async function makeVerifier(realm: UserRealm, password: string): Promise<Verifier | undefined> {
  if (realm !== PASSWORD_REALM) return makeScramVerifier(password);
  return { kind: 'argon2id', hash: await inHashTurn(() => ARGON2.hash(Buffer.from(password))) };
}

/** Of a hash as mosquitto keeps it: `$6$` and `$7$`, or argon2id since mosquitto 2.1. Undefined for what no login can be checked against. */
export function verifierOfMosquitto(hash: string): Verifier | undefined {
  if (parseMosquittoHash(hash) !== undefined) return { kind: 'mosquitto', hash };
  return isAffordable(hash) ? { kind: 'argon2id', hash } : undefined;
}
