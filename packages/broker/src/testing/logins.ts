// For tests of logins: a registry in memory, hashing that costs nothing and is counted, and the evidence of a CONNECT.

import type { Hashing } from '../identity/password/argon2.ts';
import type { AuthenticationMode } from '../ports/connection-facts.ts';
import type { IdentityDirectory, RegisteredIdentity, Verifier } from '../ports/directory.ts';
import type { Evidence } from '../ports/guards.ts';
import { identityKey } from '../ports/identity.ts';

/** Keeps the very object that it was given, as the registry's file does. */
export class MemoryDirectory implements IdentityDirectory {
  readonly #identities = new Map<string, RegisteredIdentity>();

  constructor(...identities: readonly RegisteredIdentity[]) {
    for (const identity of identities) this.#identities.set(identityKey(identity), identity);
  }

  find(realm: string, name: string): RegisteredIdentity | undefined {
    return this.#identities.get(identityKey({ realm, name }));
  }

  list(): readonly RegisteredIdentity[] {
    return [...this.#identities.values()];
  }

  async put(identity: RegisteredIdentity, inPlaceOf?: RegisteredIdentity): Promise<void> {
    if (inPlaceOf !== undefined && this.find(identity.realm, identity.name) !== inPlaceOf) return;
    this.#identities.set(identityKey(identity), { ...identity });
  }

  async remove(realm: string, name: string): Promise<boolean> {
    return this.#identities.delete(identityKey({ realm, name }));
  }
}

/** What the counted hashing makes of a password; the prefix is that of today's parameters. */
export function fakeHash(password: string): string {
  return `$argon2id$v=19$m=19456,t=2,p=1$fake$${Buffer.from(password).toString('base64')}`;
}

/** Hashes by `fakeHash`; `hold` makes every call wait until `release`. */
export class CountedHashing implements Hashing {
  /** Calls of either kind: each stands for one argon2. */
  calls = 0;
  atOnce = 0;
  atOnceMax = 0;
  readonly hashed: string[] = [];
  #held: (() => void)[] | undefined;

  hold(): void {
    this.#held = [];
  }

  /** Lets the calls go on that wait, and those to come too. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  hash(password: Uint8Array): Promise<string> {
    return this.#call(password, (text) => fakeHash(text));
  }

  verify(hash: string, password: Uint8Array): Promise<boolean> {
    return this.#call(password, (text) => hash === fakeHash(text));
  }

  async #call<T>(password: Uint8Array, answer: (text: string) => T): Promise<T> {
    const text = Buffer.from(password).toString();
    this.calls += 1;
    this.atOnce += 1;
    this.atOnceMax = Math.max(this.atOnceMax, this.atOnce);
    this.hashed.push(text);
    await new Promise<void>((resolve) => {
      if (this.#held === undefined) setImmediate(resolve);
      else this.#held.push(resolve);
    });
    this.atOnce -= 1;
    return answer(text);
  }
}

export function user(
  name: string,
  verifier: Verifier,
  fields: Partial<RegisteredIdentity> = {},
): RegisteredIdentity & { readonly verifier: Verifier } {
  const realm = verifier.kind === 'scram-sha-256' ? 'scram' : 'password';
  return { realm, name, kind: 'user', roles: ['operator'], state: 'active', addedAtMs: 0, ...fields, verifier };
}

export interface LoginFields {
  readonly userName?: string | undefined;
  readonly password?: string | undefined;
  readonly authentication?: AuthenticationMode;
  readonly address?: string;
  readonly role?: string;
  readonly method?: string;
  readonly data?: Uint8Array;
  readonly tls?: Evidence['facts']['tls'];
}

/** A CONNECT on a listener for passwords. */
export function login(fields: LoginFields): Evidence {
  const { userName, password, authentication = 'password', address = '192.0.2.1', role, method, data, tls } = fields;
  return {
    facts: {
      id: 1,
      listener: { name: 'panel', scheme: 'mqtts', authentication, role, clientIds: 'own', versions: [4, 5] },
      address,
      port: 40_000,
      tls,
      openedAtMs: 0,
    },
    clientId: '',
    userName,
    password: password === undefined ? undefined : Buffer.from(password),
    method,
    data,
  };
}
