// What proves an identity was changed: its connections end now, and it may come back by what holds. Who is gone altogether loses
// more, see take-away.ts.

import { type Identity, identityKey } from '../ports/identity.ts';
import type { Core } from './core.ts';
import { endClient } from './end-client.ts';

/** Answers how many. Those included whose session is not open yet: they proved themselves under what holds no more. */
export function endConnections(core: Core, identity: Pick<Identity, 'realm' | 'name'>): number {
  const key = identityKey(identity);
  let connections = 0;
  for (const client of [...core.clients]) {
    if (client.identity === undefined || identityKey(client.identity) !== key) continue;
    client.link.run(() => endClient(client, { reason: 'administrative-action', byPeer: false, will: true }));
    connections += 1;
  }
  return connections;
}
