// The registry of identities in the simulation. What is put there or removed is on its disk at once, and outlives the broker.

import type { Proof } from '../../packages/broker/src/identity/authenticate.ts';
import type { ListenerFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import type { IdentityDirectory, RegisteredIdentity } from '../../packages/broker/src/ports/directory.ts';
import { identityKey } from '../../packages/broker/src/ports/identity.ts';

type Told = (identity: Pick<RegisteredIdentity, 'realm' | 'name'>) => void;

export class Registry implements IdentityDirectory {
  readonly #identities = new Map<string, RegisteredIdentity>();
  #told: Told = () => undefined;

  find(realm: string, name: string): RegisteredIdentity | undefined {
    return this.#identities.get(identityKey({ realm, name }));
  }

  list(): readonly RegisteredIdentity[] {
    return [...this.#identities.values()];
  }

  async put(identity: RegisteredIdentity): Promise<void> {
    this.#identities.set(identityKey(identity), identity);
    this.#told(identity);
  }

  async remove(realm: string, name: string): Promise<boolean> {
    const isKnown = this.#identities.delete(identityKey({ realm, name }));
    this.#told({ realm, name });
    return isKnown;
  }

  /** The broker that runs; one that ran before is told no more. */
  watch(told: Told): void {
    this.#told = told;
  }

  /** Nobody is told any more: the broker dies before it hears of what comes. */
  silence(): void {
    this.#told = () => undefined;
  }

  /** Believes whoever names somebody that may come. */
  readonly proof: Proof = ({ facts, userName }) => {
    if (facts.listener.name !== REGISTERED_LISTENER.name || userName === undefined) return undefined;
    const known = this.find(REALM, userName);
    if (known?.state !== 'active') {
      return { allow: false, reason: 'not-authorized', because: `${userName} is unknown`, rule: 'identity.directory' };
    }
    const { realm, name, kind, roles } = known;
    return { allow: true, identity: { realm, name, kind, roles }, data: undefined, expiresAtMs: 0 };
  };
}

/** Somebody who may come, with a role of that name. */
export function registered(name: string, role: string): RegisteredIdentity {
  return { realm: REALM, name, kind: 'user', roles: [role], state: 'active', addedAtMs: 0 };
}

export const REALM = 'password';

export const REGISTERED_LISTENER: ListenerFacts = {
  name: 'registered',
  scheme: 'mqtts',
  authentication: 'password',
  role: undefined,
  clientIds: 'any',
  versions: [3, 4, 5],
};
