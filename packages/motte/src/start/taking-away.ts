// Devices that are disabled or forgotten while the broker runs: first what the authority revoked, then the registry, then
// the answer, when what they had has ended.

import type { Broker } from '@motte/broker';
import type { AdminView, Ended } from '@motte/broker/ports/admin-view';
import {
  type DeviceKey,
  findDevice,
  type IdentityDirectory,
  type RegisteredIdentity,
} from '@motte/broker/ports/directory';
import type { RevocationFeed } from './revocation-feed.ts';

export interface TakingAwayParts {
  readonly broker: Broker;
  readonly directory: IdentityDirectory;
  readonly feed: RevocationFeed;
  /** An entry for a foreign device that has none; throws MOT-0413 for an authority that is not in the configuration. */
  readonly unregistered: (device: DeviceKey) => RegisteredIdentity | undefined;
}

export function createTakingAway({
  broker,
  directory,
  feed,
  unregistered,
}: TakingAwayParts): Pick<AdminView, 'changeDevice' | 'removeDevice'> {
  const ended = async (device: RegisteredIdentity | undefined): Promise<Ended> => {
    const taken = device === undefined ? undefined : await broker.takenFrom(device);
    const { connections = 0, sessions = 0, queuedMessages = 0, wills = 0 } = taken ?? {};
    return { connections, sessions, queuedMessages, wills };
  };
  return {
    async changeDevice(key, state, revocation) {
      await feed.catchUp(revocation);
      const known = findDevice(directory, key) ?? unregistered(key);
      if (known !== undefined && known.state !== state) await directory.put({ ...known, state });
      return ended(known);
    },
    async removeDevice(key, revocation) {
      await feed.catchUp(revocation);
      const known = findDevice(directory, key);
      if (known === undefined) return ended(known);
      // Whom its authority lets in by itself stands without being registered: only a bar ends what it has.
      if (key.ca !== undefined) await directory.put({ ...known, state: 'disabled' });
      else await directory.remove(known.realm, known.name);
      const lost = await ended(known);
      if (key.ca !== undefined) await directory.remove(known.realm, known.name);
      return lost;
    },
  };
}
