// The end of the broker as its clients see it (3.14, 4.13): nothing new begins, what is under way may finish, and each client is
// told and let go as soon as nothing is. How long that may take is the caller's to say.

import { connackReturnCode } from '@motte/wire';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import { endClient, refuseConnect } from './end-client.ts';

/** From now on no client is taken, and none that begins a new exchange is read any further. */
export function beginShutDown(core: Core): void {
  core.stopping = 'server-shutting-down';
  // Who was slowed may have the end of an exchange to say.
  for (const client of core.clients) if (client.held) client.readOn();
  releaseFinished(core);
}

/** Ends every connection on which nothing is under way, with DISCONNECT 0x8B where the version has it; how many are left. */
export function releaseFinished(core: Core): number {
  for (const client of [...core.clients]) if (isFinished(client)) release(client);
  return core.clients.size;
}

/** Ends the others as well: what they did not finish waits in their sessions, if those are kept; how many there were. */
export function releaseAll(core: Core): number {
  const unfinished = core.clients.size;
  for (const client of [...core.clients]) release(client);
  return unfinished;
}

/** Nothing is owed to it but what its session keeps, and it owes us no acknowledgement. */
function isFinished({ state, session, acks, isLeaving }: Client): boolean {
  if (state !== 'open' || session === undefined) return true;
  if (!acks.empty) return false;
  return isLeaving || (session.sent.size === 0 && session.received.size === 0 && session.handover === undefined);
}

function release(client: Client): void {
  client.link.run(() => {
    if (client.state === 'proving' || client.state === 'opening') {
      refuseConnect(client, 'server-unavailable', connackReturnCode('server-unavailable'));
      return;
    }
    endClient(client, { reason: 'server-shutting-down', byPeer: false, will: true });
  });
}
