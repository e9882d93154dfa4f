// The users of a registry: the same whether a broker runs on it or a command has it alone. A name is one user's, in one realm.

import { MotteError } from '@motte/admin/errors';
import type { BrokerEvent } from '@motte/broker/events';
import type { Policy } from '@motte/broker/policy';
import type { EndedIdentity } from '@motte/broker/ports/admin-view';
import type { IdentityDirectory, RegisteredIdentity, Verifier } from '@motte/broker/ports/directory';
import { PASSWORD_REALM, SCRAM_REALM, type UserRealm, type UserRow, type Users } from '@motte/broker/ports/users';
import { makeVerifier } from '@motte/broker/verifiers';
import { parseRoles } from '../data/roles.ts';
import { checkNewPassword } from './new-password.ts';
import { checkUserName, shownName } from './user-name.ts';

export interface UsersParts {
  readonly directory: IdentityDirectory;
  /** Ends the connections that a running broker has of a user, and answers how many. */
  readonly endConnections: (user: { realm: UserRealm; name: string }) => number;
  /** What ended with a user who is gone from the registry. */
  readonly ended: (user: { realm: UserRealm; name: string }) => Promise<EndedIdentity>;
  readonly connections: (user: { realm: UserRealm; name: string }) => number;
  readonly told: (event: BrokerEvent) => void;
  /** In force now. */
  readonly policy: () => Policy;
}

export function createUsers({ directory, endConnections, ended, connections, told, policy }: UsersParts): Users {
  let last: Promise<unknown> = Promise.resolve();
  /** One change at a time: a password takes its time to be hashed, and a name must not be given twice meanwhile. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };

  return {
    list: () =>
      REALMS.flatMap((realm) => directory.list().filter((identity) => identity.realm === realm))
        .map((user) => rowOf(user, connections(userOf(user))))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    add: ({ name, realm, roles: given, password }) =>
      inTurn(async () => {
        checkUserName(name);
        const roles = parseRoles(given, policy());
        const taken = find(directory, name);
        if (taken !== undefined) throw new MotteError('MOT-0621', `${name}, of the realm ${taken.realm}`);
        const verifier = await verifierOf(realm, name, password);
        const user = { realm, name, kind: 'user', roles, state: 'active', addedAtMs: Date.now(), verifier } as const;
        await directory.put(user);
        told({ name: 'user.added', atMs: user.addedAtMs, identity: labelOf(user), roles });
        return rowOf(user, 0);
      }),
    setPassword: (name, password) =>
      inTurn(async () => {
        const verifier = await verifierOf(existing(directory, name).realm as UserRealm, name, password);
        // As it is by now: a login may have renewed its verifier.
        const user = existing(directory, name);
        await directory.put({ ...user, verifier });
        const count = endConnections(userOf(user));
        told({ name: 'user.changed', atMs: Date.now(), identity: labelOf(user), connections: count });
        return count;
      }),
    remove: (name) =>
      inTurn(async () => {
        const user = existing(directory, name);
        await directory.remove(user.realm, name);
        const { connections: count, sessions } = await ended(userOf(user));
        told({ name: 'user.removed', atMs: Date.now(), identity: labelOf(user), connections: count, sessions });
        return { connections: count, sessions };
      }),
  };
}

function find(directory: IdentityDirectory, name: string): RegisteredIdentity | undefined {
  return directory.find(PASSWORD_REALM, name) ?? directory.find(SCRAM_REALM, name);
}

function existing(directory: IdentityDirectory, name: string): RegisteredIdentity {
  const user = find(directory, name);
  if (user === undefined) throw new MotteError('MOT-0622', shownName(name));
  return user;
}

async function verifierOf(realm: UserRealm, name: string, password: string): Promise<Verifier> {
  checkNewPassword(name, password);
  const verifier = await makeVerifier(realm, password);
  if (verifier === undefined)
    throw new MotteError('MOT-0623', 'it holds characters that SCRAM does not allow (RFC 4013)');
  return verifier;
}

/** Field by field: the verifier stays here. */
function rowOf({ realm, name, roles, state, addedAtMs }: RegisteredIdentity, connections: number): UserRow {
  return { realm: realm as UserRealm, name, roles, state, addedAtMs, connections };
}

function userOf({ realm, name }: RegisteredIdentity): { realm: UserRealm; name: string } {
  return { realm: realm as UserRealm, name };
}

function labelOf({ realm, name }: RegisteredIdentity): string {
  return `${name}@${realm}`;
}

const REALMS: readonly UserRealm[] = [PASSWORD_REALM, SCRAM_REALM];
