// Another policy tried on the sessions that are there: which of them are asked, in which order, and how long others wait for it.
// What is compared is access/replay.ts's.

import type { PolicyAccess } from '../access/access.ts';
import type { Policy } from '../access/policy.ts';
import { type Replayed, replayPolicy } from '../access/replay.ts';
import type { Core } from '../core/core.ts';
import { TimeSlices } from '../host.ts';
import type { Clock } from '../ports/clock.ts';
import type { PolicyReplay } from '../ports/policies.ts';

export interface ReplayParts {
  readonly core: Core;
  readonly access: PolicyAccess;
  readonly clock: Clock;
}

/** Changes nothing. */
export function replayOnSessions(policy: Policy, { core, access, clock }: ReplayParts): Promise<PolicyReplay> {
  const time = new TimeSlices(clock, { sliceMs: REPLAY_SLICE_MS, wholeMs: REPLAY_MS });
  return replayPolicy({
    from: access.policy,
    to: policy,
    sessions: replayed(core, access),
    hasTime: () => time.isLeft && core.stopping === undefined,
    pause: () => time.pause(),
  });
}

/** Every session, those with a client first. */
function* replayed(core: Core, access: PolicyAccess): Iterable<Replayed> {
  for (const online of [true, false]) {
    for (const session of core.sessions.values()) {
      if (session.online !== online) continue;
      yield {
        subject: session.subject,
        filters: core.router.filtersOf(session),
        topics: access.topicsOf(session.rights),
      };
    }
  }
}

/** How long a new policy is tried on those who are here, and how long of it in one turn: meanwhile nobody is served. */
const REPLAY_MS = 100;
const REPLAY_SLICE_MS = 20;
