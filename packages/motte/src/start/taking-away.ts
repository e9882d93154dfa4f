// Devices that are disabled or forgotten while the broker runs: first what the authority revoked, then the registry, then
// the answer, when what they had has ended.

import type { Broker } from '@motte/broker';
import type { AdminView, Ended } from '@motte/broker/ports/admin-view';
import { findDevice, type IdentityDirectory, type RegisteredIdentity } from '@motte/broker/ports/directory';
import type { RevocationFeed } from './revocation-feed.ts';

export interface TakingAwayParts {
  readonly broker: Broker;
  readonly directory: IdentityDirectory;
  readonly feed: RevocationFeed;
}

export function createTakingAway({
  broker,
  directory,
  feed,
}: TakingAwayParts): Pick<AdminView, 'changeDevice' | 'removeDevice'> {
  const ended = async (device: RegisteredIdentity | undefined): Promise<Ended> => {
    const taken = device === undefined ? undefined : await broker.takenFrom(device);
    const { connections = 0, sessions = 0, queuedMessages = 0, wills = 0 } = taken ?? {};
    return { connections, sessions, queuedMessages, wills };
  };
  return {
    async changeDevice(name, state, revocation) {
      await feed.catchUp(revocation);
      const known = findDevice(directory, name);
      if (known !== undefined && known.state !== state) await directory.put({ ...known, state });
      return ended(known);
    },
    async removeDevice(name, revocation) {
      await feed.catchUp(revocation);
      const known = findDevice(directory, name);
      if (known !== undefined) await directory.remove(known.realm, name);
      return ended(known);
    },
  };
}
