// What a new policy means for subscriptions that were granted under an older one: those that it no longer grants end, in
// live and stored sessions alike. Deliveries need no help: every route and verdict carries the policy's generation.

import { shareOf, type TopicFilter } from '@motte/wire';
import type { LostRights } from '../ports/policies.ts';
import type { Refusal } from '../ports/verdict.ts';
import type { Core } from './core.ts';
import { endClient } from './end-client.ts';
import type { Session } from './session.ts';

/** Looks at every subscription of every session. */
export function reauthorise(core: Core): LostRights {
  let subscriptions = 0;
  let connections = 0;
  for (const session of [...core.sessions.values()]) {
    const isConnected = session.client !== undefined;
    const lost = reauthoriseSession(core, session);
    subscriptions += lost;
    if (isConnected && lost > 0) connections += 1;
  }
  return { subscriptions, connections };
}

/** Looks at those of one session, as of one that was resumed under another policy than it was left under; how many ended. */
export function reauthoriseSession(core: Core, session: Session): number {
  let count = 0;
  let lost: { readonly filter: TopicFilter; readonly refusal: Refusal } | undefined;
  for (const filter of [...core.router.filtersOf(session)]) {
    const verdict = core.access.subscribe(core.rightsOf(session), shareOf(filter)?.filter ?? filter);
    if (verdict.allow) continue;
    count += 1;
    lost = { filter, refusal: verdict };
    core.router.unsubscribe(session, filter);
    if (session.stored) core.store.stage({ kind: 'unsubscribe', key: session.key, filter }, true);
  }
  const { client } = session;
  if (lost === undefined || client === undefined) return count;
  // No MQTT packet takes a subscription back: ending the connection is the only way to tell the client.
  const { filter, refusal } = lost;
  const { reason, because, rule } = refusal;
  const seen = client.version === 5 ? 'DISCONNECT 0x87' : 'the connection closed';
  core.reports.refused(client, { layer: 'access', reason, because, rule, packet: 'subscribe', topic: filter, seen });
  const reasonString = `no longer allowed: ${filter}`;
  client.link.run(() => endClient(client, { reason: 'not-authorized', byPeer: false, will: true, reasonString }));
  return count;
}
