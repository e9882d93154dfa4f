// The registry whether or not the broker runs: through the admin API, or in this process under the lock.

import { type Device, openAdmin } from '@motte/admin';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import { OWN_REALM } from '@motte/broker/ports/identity';
import { runningOrOffline } from './running-or-offline.ts';

export interface Registered {
  list(): Promise<readonly Device[]>;
  find(name: string): Promise<Device | undefined>;
  add(name: string, roles: readonly string[]): Promise<void>;
}

/** Runs `work` on the registry of a data directory. */
export function withRegistry<T>(
  data: string,
  work: (registry: Registered, where: 'running' | 'offline') => Promise<T>,
): Promise<T> {
  return runningOrOffline(data, {
    running: () => work(running(data), 'running'),
    offline: (directory) => work(offline(directory), 'offline'),
  });
}

function running(data: string): Registered {
  const admin = openAdmin(data);
  return {
    list: async () => (await admin.devices()).devices,
    find: async (name) => (await admin.devices()).devices.find((device) => device.name === name),
    add: async (name, roles) => void (await admin.addDevice({ name, roles: [...roles] })),
  };
}

function offline(directory: IdentityDirectory): Registered {
  const devices = (): Device[] =>
    directory
      .list()
      .filter(({ realm, kind }) => realm === OWN_REALM && kind === 'device')
      .map(({ name, roles, state, addedAtMs }) => {
        return { name, roles: [...roles], state, added: new Date(addedAtMs).toISOString(), connections: 0 };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    list: async () => devices(),
    find: async (name) => devices().find((device) => device.name === name),
    add: (name, roles) =>
      directory.put({ realm: OWN_REALM, name, kind: 'device', roles, state: 'active', addedAtMs: Date.now() }),
  };
}
