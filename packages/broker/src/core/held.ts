// What the sessions of an identity hold by rights that were asked for earlier: subscriptions, and wills that wait.

import { shareOf, type TopicFilter } from '@motte/wire';
import type { HeldRights } from '../ports/watch.ts';
import type { Core } from './core.ts';

/** Of sessions that are connected and away; `owner`: key of the identity. */
export function heldBy(core: Core, owner: string): HeldRights[] {
  return [...core.sessions.values()]
    .filter((session) => session.owner === owner)
    .map((session) => ({
      rights: core.rightsOf(session),
      filters: [...core.router.filtersOf(session)].map((one) => (shareOf(one)?.filter ?? one) as TopicFilter),
      wills: [session.client?.will, session.will?.message].flatMap((will) => will ?? []),
    }));
}
