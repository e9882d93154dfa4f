// Users: identities that prove themselves by what they know. What they know, or what it is checked against, is never shown.

import type { RegisteredIdentity } from './directory.ts';
import { ANONYMOUS_REALM, type IdentityKind } from './identity.ts';

export const PASSWORD_REALM = 'password';
export const SCRAM_REALM = 'scram';

/** A user is of one realm: by password or by SCRAM, never both. */
export type UserRealm = typeof PASSWORD_REALM | typeof SCRAM_REALM;

/** What somebody is of whom no more than the realm is known. */
export function kindOf(realm: string): IdentityKind {
  if (realm.startsWith(ANONYMOUS_REALM)) return 'anonymous';
  return realm === PASSWORD_REALM || realm === SCRAM_REALM ? 'user' : 'device';
}

/** A user without its verifier. */
export interface UserRow extends Pick<RegisteredIdentity, 'name' | 'roles' | 'state' | 'addedAtMs'> {
  readonly realm: UserRealm;
  readonly connections: number;
}

export interface NewUser {
  readonly name: string;
  readonly realm: UserRealm;
  readonly roles: readonly string[];
  readonly password: string;
}

/** Everything here is durable when its promise resolves; each throws a MotteError. */
export interface Users {
  /** By name. */
  list(): readonly UserRow[];
  add(user: NewUser): Promise<UserRow>;
  /** Answers how many connections ended. */
  setPassword(name: string, password: string): Promise<number>;
  /** Answers how many connections and sessions ended. */
  remove(name: string): Promise<{ readonly connections: number; readonly sessions: number }>;
}
