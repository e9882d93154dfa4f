// Who may log in under a scope: users with their hashes, devices with their keys, those whom a plugin knows. One name is one
// user's, whichever scope it comes from.

import type { RegisteredIdentity, Verifier } from '@motte/broker/ports/directory';
import { identityKey, PSK_REALM } from '@motte/broker/ports/identity';
import { PASSWORD_REALM } from '@motte/broker/ports/users';
import { verifierOfMosquitto } from '@motte/broker/verifiers';
import { isDeviceName } from '@motte/pki/protocol';
import type { DynamicSecurity } from './dynamic-security.ts';
import { NAME_FAULT, type Secret } from './password-file.ts';
import type { ImportReport } from './report.ts';
import type { Place } from './source.ts';

export interface Person {
  readonly identity: RegisteredIdentity;
  readonly place: Place;
}

export class People {
  readonly #report: ImportReport;
  readonly #atMs: number;
  readonly #byKey = new Map<string, Person & { readonly roles: Set<string> }>();

  constructor(report: ImportReport, atMs: number) {
    this.#report = report;
    this.#atMs = atMs;
  }

  get identities(): RegisteredIdentity[] {
    return [...this.#byKey.values()].map(({ identity, roles }) => ({ ...identity, roles: [...roles] }));
  }

  /** Users of a password_file; the names that were taken. */
  addUsers(hashes: ReadonlyMap<string, Secret>, rolesOf: (name: string) => readonly string[]): string[] {
    return [...hashes].flatMap(([name, { secret, place }]) =>
      this.#add({ identity: this.#user(name, secret, 'active'), place }, rolesOf(name)) ? [name] : [],
    );
  }

  /** Devices of a psk_file; the names that were taken. */
  addKeys(keys: ReadonlyMap<string, Secret>, rolesOf: (name: string) => readonly string[]): string[] {
    return [...keys].flatMap(([name, { secret, place }]) => {
      const identity = {
        realm: PSK_REALM,
        name,
        kind: 'device',
        roles: [],
        state: 'active',
        addedAtMs: this.#atMs,
      } as const;
      const verifier = { kind: 'psk', key: secret } as const;
      return this.#add({ identity: { ...identity, verifier }, place }, rolesOf(name)) ? [name] : [];
    });
  }

  /** Clients of dynamic security; the names that were taken. */
  addClients({ clients }: DynamicSecurity, rolesOf: (name: string) => readonly string[]): string[] {
    return [...clients.values()].flatMap(({ name, place, hash, clientId, isDisabled }) => {
      if (!isDeviceName(name)) {
        this.#report.unsupported(place, `client ${JSON.stringify(name)}`, NAME_FAULT);
        return [];
      }
      if (clientId !== undefined)
        this.#report.changed(
          place,
          `clientid of ${name}`,
          'a client id that is NAME or NAME/anything',
          'client ids of Motte belong to names',
        );
      if (hash === undefined) {
        this.#report.unsupported(
          place,
          `client ${name}`,
          'it has no password that can be taken over: it cannot log in by one',
        );
        return [];
      }
      const identity = this.#user(name, hash, isDisabled ? 'disabled' : 'active');
      return this.#add({ identity, place }, rolesOf(name)) ? [name] : [];
    });
  }

  #user(name: string, hash: string, state: 'active' | 'disabled'): RegisteredIdentity {
    const verifier = verifierOfMosquitto(hash) as Verifier;
    return { realm: PASSWORD_REALM, name, kind: 'user', roles: [], state, addedAtMs: this.#atMs, verifier };
  }

  /** Of two with one name the first stays; the other is the same one only if it proves itself the same way. */
  #add({ identity, place }: Person, roles: readonly string[]): boolean {
    const key = identityKey(identity);
    const what = identity.kind === 'user' ? `user ${identity.name}` : `pre-shared key of ${identity.name}`;
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, { identity, place, roles: new Set(roles) });
    else if (JSON.stringify(known.identity.verifier) === JSON.stringify(identity.verifier))
      for (const role of roles) known.roles.add(role);
    else {
      this.#report.unsupported(place, what, 'there is one of this name with another secret, and a name is one’s');
      return false;
    }
    this.#report.same(
      place,
      what,
      `${identity.name}@${identity.realm}${identity.state === 'disabled' ? ', disabled' : ''}`,
    );
    return true;
  }
}
