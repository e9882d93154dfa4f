// The registry whether or not the broker runs: through the admin API, or in this process under the lock.

import { type Device, type Ended, openAdmin } from '@motte/admin';
import { type DeviceKey, findDevice, type IdentityDirectory, isOwnDevice } from '@motte/broker/ports/directory';
import { OWN_REALM, PSK_REALM } from '@motte/broker/ports/identity';
import { caRealm } from '@motte/pki/protocol';
import type { Place } from './ask-authority.ts';
import { newDevice } from './new-device.ts';
import { runningOrOffline } from './running-or-offline.ts';

export interface Registered {
  list(): Promise<readonly Device[]>;
  /** An enrolled one, or one that is registered with a foreign authority. */
  find(name: string, ca?: string): Promise<Device | undefined>;
  /** `psk` is a pre-shared key in base64; without it a certificate proves the device, of Motte's own authority or of `ca`. */
  add(name: string, roles: readonly string[], by?: { readonly psk?: string; readonly ca?: string }): Promise<void>;
  /** Both: what ended with it, revocations up to that number included; undefined while no broker runs that could end it. */
  change(device: DeviceKey, state: Device['state'], revocation: number): Promise<Ended | undefined>;
  remove(device: DeviceKey, revocation: number): Promise<Ended | undefined>;
}

/** Runs `work` on the registry of a data directory. */
export function withRegistry<T>(
  place: Place,
  work: (registry: Registered, where: 'running' | 'offline') => Promise<T>,
): Promise<T> {
  return runningOrOffline(place.data, {
    running: () => work(running(place.data), 'running'),
    offline: (directory) => work(offline(directory, place), 'offline'),
  });
}

function pick(devices: readonly Device[], name: string, ca: string | undefined): Device | undefined {
  const realms = ca === undefined ? [OWN_REALM, PSK_REALM] : [caRealm(ca)];
  return devices.find((device) => device.name === name && realms.includes(device.realm));
}

function running(data: string): Registered {
  const admin = openAdmin(data);
  return {
    list: async () => (await admin.devices()).devices,
    find: async (name, ca) => pick((await admin.devices()).devices, name, ca),
    add: async (name, roles, by = {}) => void (await admin.addDevice({ name, roles: [...roles], ...by })),
    change: async ({ name, ...of }, state, revocation) =>
      (await admin.changeDevice(name, { state, revocation }, of)).ended,
    remove: async ({ name, ...of }, revocation) => (await admin.removeDevice(name, revocation, of)).ended,
  };
}

function offline(directory: IdentityDirectory, place: Place): Registered {
  // The configuration says which authorities there are; only this question needs it.
  const barring = async (device: DeviceKey) => {
    if (device.ca === undefined) return undefined;
    const { loadConfig } = await import('../config/config.ts');
    const { unregistered } = await import('./authorities.ts');
    return unregistered(loadConfig(place.config), device);
  };
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
    find: async (name, ca) => pick(devices(), name, ca),
    add: (name, roles, { psk, ca } = {}) =>
      directory.put(
        newDevice({
          name,
          roles,
          ...(ca === undefined ? {} : { ca }),
          ...(psk === undefined ? {} : { verifier: { kind: 'psk', key: psk } }),
        }),
      ),
    change: async (device, state) => {
      const known = findDevice(directory, device) ?? (await barring(device));
      if (known !== undefined && known.state !== state) await directory.put({ ...known, state });
      return undefined;
    },
    remove: async (device) => {
      const known = findDevice(directory, device);
      if (known !== undefined) await directory.remove(known.realm, known.name);
      return undefined;
    },
  };
}
