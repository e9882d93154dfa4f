// The registry of identities: who is known, with which roles. The proof of identity asks it; administrators fill it.

import type { IdentityKind } from './identity.ts';

export interface RegisteredIdentity {
  readonly realm: string;
  readonly name: string;
  readonly kind: IdentityKind;
  readonly roles: readonly string[];
  readonly state: 'active' | 'disabled';
  readonly addedAtMs: number;
}

export interface IdentityDirectory {
  find(realm: string, name: string): RegisteredIdentity | undefined;
  list(): readonly RegisteredIdentity[];
  /** Adds or replaces; durable when the promise resolves. */
  put(identity: RegisteredIdentity): Promise<void>;
}
