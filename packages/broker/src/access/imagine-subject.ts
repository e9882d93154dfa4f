// Somebody who is not connected, as if they were: whom tests of a policy and `motte access` ask about. Nothing is proven here.

import type { Subject } from '../ports/access.ts';
import type { AuthenticationMode, ListenerFacts } from '../ports/connection-facts.ts';
import type { RegisteredIdentity } from '../ports/directory.ts';
import { ANONYMOUS_REALM, type Identity, OWN_REALM, PSK_REALM, TOKEN_REALM } from '../ports/identity.ts';
import { PASSWORD_REALM, SCRAM_REALM } from '../ports/users.ts';
import type { Who } from './names.ts';

export interface Circumstances {
  /** Empty = unknown, and in no network. */
  readonly address: string;
  /** By its name alone where its facts are not known; empty = none that a rule names. */
  readonly listener: string | ListenerFacts;
}

export function imagineSubject(
  who: Who,
  known: Pick<RegisteredIdentity, 'kind' | 'roles'> | undefined,
  { address, listener }: Circumstances,
): Subject {
  const identity: Identity = { ...who, kind: known?.kind ?? kindOf(who.realm), roles: known?.roles ?? [] };
  const facts = typeof listener === 'string' ? { ...listenerFor(who.realm), name: listener } : listener;
  return { identity, clientId: who.name, facts: { listener: facts, address } };
}

function kindOf(realm: string): Identity['kind'] {
  if (realm.startsWith(ANONYMOUS_REALM)) return 'anonymous';
  return realm === PASSWORD_REALM || realm === SCRAM_REALM || realm.startsWith(TOKEN_REALM) ? 'user' : 'device';
}

/** The plainest one by which somebody of the realm comes. */
function listenerFor(realm: string): ListenerFacts {
  return {
    name: '',
    scheme: 'mqtts',
    authentication: authenticationFor(realm),
    role: undefined,
    clientIds: 'own',
    versions: [3, 4, 5],
  };
}

function authenticationFor(realm: string): AuthenticationMode {
  if (realm === PASSWORD_REALM) return 'password';
  if (realm === SCRAM_REALM) return 'scram';
  if (realm === PSK_REALM) return 'psk';
  return realm.startsWith(TOKEN_REALM) ? 'token' : 'certificate';
}

/** What a device has that nobody named a role for when it was enrolled. */
export const ENROLLED_ROLES: readonly string[] = ['device'];

/** What is taken for registered where no registry says anything: a device as `motte device add NAME` enrols it. */
export function asEnrolled(who: Who): Pick<RegisteredIdentity, 'kind' | 'roles'> | undefined {
  return who.realm === OWN_REALM || who.realm === PSK_REALM ? { kind: 'device', roles: ENROLLED_ROLES } : undefined;
}
