// The registry whether or not the broker runs: through the admin API, or in this process under the lock.

import { type Device, type Ended, openAdmin } from '@motte/admin';
import { findDevice, type IdentityDirectory, isOwnDevice } from '@motte/broker/ports/directory';
import { newDevice } from './new-device.ts';
import { runningOrOffline } from './running-or-offline.ts';

export interface Registered {
  list(): Promise<readonly Device[]>;
  find(name: string): Promise<Device | undefined>;
  /** `psk` is a pre-shared key in base64; without it a certificate proves the device. */
  add(name: string, roles: readonly string[], psk?: string): Promise<void>;
  /** Both: what ended with it, revocations up to that number included; undefined while no broker runs that could end it. */
  change(name: string, state: Device['state'], revocation: number): Promise<Ended | undefined>;
  remove(name: string, revocation: number): Promise<Ended | undefined>;
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
    change: async (name, state, revocation) => (await admin.changeDevice(name, { state, revocation })).ended,
    remove: async (name, revocation) => (await admin.removeDevice(name, revocation)).ended,
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
    change: async (name, state) => {
      const known = findDevice(directory, name);
      if (known !== undefined && known.state !== state) await directory.put({ ...known, state });
      return undefined;
    },
    remove: async (name) => {
      const known = findDevice(directory, name);
      if (known !== undefined) await directory.remove(known.realm, name);
      return undefined;
    },
  };
}
