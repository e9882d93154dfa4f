// The users of a data directory whether or not its broker runs: through the admin API, or in this process under the lock.

import { MotteError, openAdmin, type User } from '@motte/admin';
import type { NewUser, UserRow } from '@motte/broker/ports/users';
import { isDeviceName } from '@motte/pki/protocol';
import { runningOrOffline } from '../data/running-or-offline.ts';
import { checkKnowable, checkUserName, shownName } from './user-name.ts';

export interface OpenUsers {
  list(): Promise<readonly User[]>;
  add(user: NewUser): Promise<User>;
  /** Answers how many connections ended. */
  setPassword(name: string, password: string): Promise<number>;
  remove(name: string): Promise<{ readonly connections: number; readonly sessions: number }>;
}

/** Runs `work` on the users of a data directory. */
export function withUsers<T>(data: string, work: (users: OpenUsers) => Promise<T>): Promise<T> {
  return runningOrOffline(data, {
    running: () => work(running(data)),
    offline: async (directory) => {
      const { createUsers } = await import('./users.ts');
      const { storedPolicy } = await import('../policy/stored-policy.ts');
      const users = createUsers({
        directory,
        // Sessions of users that are gone are discarded at the next start.
        endConnections: () => 0,
        ended: async () => ({ connections: 0, sessions: 0 }),
        connections: () => 0,
        told: () => {},
        policy: () => storedPolicy(data),
      });
      return work({
        list: async () => users.list().map(documentOf),
        add: async (user) => documentOf(await users.add(user)),
        setPassword: users.setPassword,
        remove: users.remove,
      });
    },
  });
}

function running(data: string): OpenUsers {
  const admin = openAdmin(data);
  return {
    list: async () => (await admin.users()).users,
    add: async (user) => {
      checkUserName(user.name);
      for (const role of user.roles) if (!isDeviceName(role)) throw new MotteError('MOT-0606', shownName(role));
      return (await admin.addUser({ ...user, roles: [...user.roles] })).user;
    },
    setPassword: async (name, password) => {
      checkKnowable(name);
      return (await admin.setPassword(name, password)).connections;
    },
    remove: async (name) => {
      checkKnowable(name);
      const { connections, sessions } = await admin.removeUser(name);
      return { connections, sessions };
    },
  };
}

function documentOf({ name, realm, roles, state, addedAtMs, connections }: UserRow): User {
  return { name, realm, roles: [...roles], state, added: new Date(addedAtMs).toISOString(), connections };
}
