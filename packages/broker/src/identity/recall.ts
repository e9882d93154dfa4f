// Whose a stored session is: the identity as the registry knows it today, and the way by which it last came. Nothing is
// proven here; whoever takes the session proves who it is first.

import type { Subject } from '../ports/access.ts';
import type { ListenerFacts } from '../ports/connection-facts.ts';
import type { IdentityDirectory } from '../ports/directory.ts';
import type { CheckOutsider } from '../ports/guards.ts';
import { type Identity, OWN_REALM } from '../ports/identity.ts';
import type { StoredSession } from '../ports/store.ts';
import type { TrustFacts } from '../ports/trust.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';
import { checkProvable } from './provable-names.ts';

export interface RecallParts {
  readonly directory: IdentityDirectory;
  readonly listeners: readonly ListenerFacts[];
  readonly foreign: TrustFacts['foreign'];
  readonly checkOutsider?: CheckOutsider | undefined;
}

/** The subject of a stored session; undefined if its identity is not registered, or disabled, its listener or authority is gone, or that may not prove it. */
export function recallSubject(
  session: StoredSession,
  { directory, listeners, foreign, checkOutsider }: RecallParts,
): Subject | undefined {
  const { realm, name, clientId, listener, address } = session;
  // A listener that was renamed or taken away gives no role any more; what is registered still counts.
  const facts = listeners.find((one) => one.name === listener) ?? { ...GONE, name: listener };
  if (!isProvable(foreign, realm, name)) return undefined;
  const identity = realm.startsWith('listener:')
    ? anonymous(realm, name, listeners)
    : (registered(realm, name, directory) ??
      (checkOutsider?.({ realm, name }) === undefined ? unregistered(session, directory, foreign) : undefined));
  return identity === undefined ? undefined : { identity, clientId, facts: { listener: facts, address } };
}

/** Whether the owner of something, by the key of its identity, may still be proven; anonymous owners always are. */
export function isKnown(owner: string, { directory, foreign, checkOutsider }: Omit<RecallParts, 'listeners'>): boolean {
  const at = owner.indexOf('\n');
  const realm = owner.slice(0, Math.max(at, 0));
  const name = owner.slice(at + 1);
  const known = directory.find(realm, name);
  if (!REGISTERED.test(realm)) return known?.state !== 'disabled' && checkOutsider?.({ realm, name }) === undefined;
  if (!isProvable(foreign, realm, name)) return false;
  // Whom its authority may let in by itself was never registered.
  return known === undefined ? foreign?.get(realm)?.roles !== undefined : known.state === 'active';
}

/** Where the operator's own authority proves a name: whether it is there, and may. */
function isProvable(foreign: RecallParts['foreign'], realm: string, name: string): boolean {
  return !isForeign(realm) || checkAuthority(foreign, realm, name) === undefined;
}

/** Whether a foreign authority is there at all, and may prove that name. */
export function checkAuthority(foreign: TrustFacts['foreign'], realm: string, name: string): Refusal | undefined {
  const authority = foreign?.get(realm);
  if (authority !== undefined) return checkProvable(name, authority.names, `the authority ${realm}`, 'tls.clientCa');
  return refuse('not-authorized', `the authority ${realm} of ${name} is not trusted any more`, 'tls.clientCa');
}

function registered(realm: string, name: string, directory: IdentityDirectory): Identity | undefined {
  const known = directory.find(realm, name);
  return known?.state === 'active' ? { realm, name, kind: known.kind, roles: known.roles } : undefined;
}

/** In no registry is whom a foreign authority may let in, and whom a token proved: what its latest token gave it still holds. */
function unregistered(
  { realm, name, roles, kind }: StoredSession,
  directory: IdentityDirectory,
  foreign: TrustFacts['foreign'],
): Identity | undefined {
  if (directory.find(realm, name) !== undefined) return undefined;
  const given = foreign?.get(realm)?.roles ?? roles;
  return given === undefined ? undefined : { realm, name, kind: kind ?? 'device', roles: given };
}

/** Whoever is anonymous is so on one listener: without it nobody can ever be that identity again. */
function anonymous(realm: string, name: string, listeners: readonly ListenerFacts[]): Identity | undefined {
  const own = listeners.find((one) => realm === `listener:${one.name}`);
  if (own?.authentication !== 'none') return undefined;
  return { realm, name, kind: 'anonymous', roles: own.role === undefined ? [] : [own.role] };
}

/** Whether certificates of an authority of the operator's own prove the realm's names. */
export function isForeign(realm: string): boolean {
  return realm.startsWith('ca:') && realm !== OWN_REALM;
}

/** Realms whose identities are only those in the registry. */
export const REGISTERED = /^(ca:.*|password|scram|psk)$/;

const GONE: Omit<ListenerFacts, 'name'> = {
  scheme: 'mqtts',
  authentication: 'certificate',
  role: undefined,
  clientIds: 'own',
  versions: [],
};
