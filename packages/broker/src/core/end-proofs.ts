// What proved an identity outside of the registry, a token, is taken back: whoever is connected by it is told that an
// administrator did it, and `motte why` has the reason. Wills are cancelled, not published.

import type { EndedProofs, ProofQuery } from '../ports/admin-view.ts';
import { type Identity, identityKey } from '../ports/identity.ts';
import { refuse } from '../ports/verdict.ts';
import type { Core } from './core.ts';
import { endSession } from './sessions.ts';
import { endFallen } from './take-away.ts';
import { dropWill } from './wills.ts';

export interface Ended extends EndedProofs {
  /** Whose connections and sessions these were, by key. */
  readonly identities: ReadonlyMap<string, Identity>;
}

/** One token ends its connections; a name or a whole realm ends the sessions as well, of those who are away too. */
export function endProofs(core: Core, query: ProofQuery): Ended {
  const { token, because, rule } = query;
  const fallen = { refusal: refuse('not-authorized', because, rule), superseded: false };
  const identities = new Map<string, Identity>();
  // Before their connections end, with which some of them end by themselves.
  const owned =
    token === undefined ? [...core.sessions.values()].filter(({ identity }) => isMeant(identity, query)) : [];
  let [connections, endsAtMs] = [0, 0];
  for (const client of [...core.clients]) {
    const { identity } = client;
    if (identity === undefined || !isMeant(identity, query)) continue;
    if (token !== undefined && token !== client.token) continue;
    connections += 1;
    endsAtMs = Math.max(endsAtMs, client.proofEndsAtMs);
    identities.set(identityKey(identity), identity);
    client.link.run(() => endFallen(client, fallen));
  }
  for (const session of owned) {
    identities.set(session.owner, session.identity);
    dropWill(core, session);
    endSession(core, session);
  }
  return { connections, sessions: owned.length, endsAtMs, identities };
}

function isMeant(identity: Identity, { realm, name }: ProofQuery): boolean {
  return identity.realm === realm && (name === undefined || identity.name === name);
}
