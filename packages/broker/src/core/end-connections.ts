// An identity changed or is gone: its connections end now, and where it is gone all that is kept for it ends with them.

import type { EndedIdentity } from '../ports/admin-view.ts';
import { type Identity, identityKey } from '../ports/identity.ts';
import type { Core } from './core.ts';
import { endClient } from './end-client.ts';
import { endSession } from './sessions.ts';
import { dropWill } from './wills.ts';

/** With `sessions` queues, subscriptions and wills go too, and no will is published: nobody has the right any more. */
export function endIdentity(
  core: Core,
  identity: Pick<Identity, 'realm' | 'name'>,
  { sessions }: { readonly sessions: boolean },
): EndedIdentity {
  const key = identityKey(identity);
  const owned = [...core.sessions.values()].filter((session) => identityKey(session.identity) === key);
  let connections = 0;
  // Those included whose session is not open yet: they proved themselves under what holds no more.
  for (const client of [...core.clients]) {
    if (client.identity === undefined || identityKey(client.identity) !== key) continue;
    client.link.run(() => endClient(client, { reason: 'administrative-action', byPeer: false, will: !sessions }));
    connections += 1;
  }
  if (!sessions) return { connections, sessions: 0 };
  for (const session of owned) {
    dropWill(core, session);
    endSession(core, session);
  }
  return { connections, sessions: owned.length };
}
