// The registry whether or not the broker runs: through the admin API, or in this process under the lock.

import { type Device, openAdmin } from '@motte/admin';
import { type IdentityDirectory, isOwnDevice } from '@motte/broker/ports/directory';
import { newDevice } from './new-device.ts';
import { runningOrOffline } from './running-or-offline.ts';

export interface Registered {
  list(): Promise<readonly Device[]>;
  find(name: string): Promise<Device | undefined>;
  /** `psk` is a pre-shared key in base64; without it a certificate proves the device. */
  add(name: string, roles: readonly string[], psk?: string): Promise<void>;
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
    add: async (name, roles, psk) =>
      void (await admin.addDevice({ name, roles: [...roles], ...(psk === undefined ? {} : { psk }) })),
  };
}

function offline(directory: IdentityDirectory): Registered {
  const devices = (): Device[] =>
    directory
      .list()
      .filter(isOwnDevice)
      .map(({ name, realm, roles, state, addedAtMs }) => {
        return { name, realm, roles: [...roles], state, added: new Date(addedAtMs).toISOString(), connections: 0 };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    list: async () => devices(),
    find: async (name) => devices().find((device) => device.name === name),
    add: (name, roles, psk) =>
      directory.put(newDevice(name, roles, psk === undefined ? undefined : { kind: 'psk', key: psk })),
  };
}
