// Identity's part of the guards, put together: the proof of every CONNECT. Bans and rates will answer `admit` from outside.

import type { Clock } from '../ports/clock.ts';
import type { IdentityDirectory } from '../ports/directory.ts';
import type { Guards } from '../ports/guards.ts';
import type { Limits } from '../ports/limits.ts';
import type { TrustFacts } from '../ports/trust.ts';
import { createAuthenticate, type Proof } from './authenticate.ts';
import { type AuthenticationMethods, proofOf } from './methods.ts';
import { createProve } from './prove.ts';

export type { TrustFacts } from '../ports/trust.ts';

export interface GuardsParts {
  readonly directory: IdentityDirectory;
  readonly trust: TrustFacts;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Enhanced authentication; none by default. */
  readonly methods?: AuthenticationMethods;
  /** Asked after the broker's own proof; each may refuse what that allows. */
  readonly others?: readonly Proof[];
}

export function createGuards({ directory, trust, clock, limits, methods, others }: GuardsParts): Guards {
  const prove = createProve({ clock, directory, trust });
  return {
    admit: () => undefined,
    authenticate: createAuthenticate({
      proofs: [proofOf(prove, methods ?? new Map()), ...(others ?? [])],
      deadlineMs: limits.authenticateDeadlineMs,
      atOnceMax: limits.authenticationsAtOnceMax,
    }),
  };
}
