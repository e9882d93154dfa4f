// What ends with an identity or a certificate: connections on every transport, what they were owed, their wills, and the
// sessions of those who are away, who are held to the certificate by which they last came. Whether a proof still holds is
// asked of the guards, whose a session is of start-up; what becomes of retained messages stands in retained-left-behind.ts.

import { connackReturnCode } from '@motte/wire';
import type { Subject } from '../ports/access.ts';
import type { Fallen } from '../ports/guards.ts';
import { type Identity, identityKey } from '../ports/identity.ts';
import type { StoredSession } from '../ports/store.ts';
import type { TakenAway } from '../ports/taken-away.ts';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import { endClient, refuseConnect } from './end-client.ts';
import type { Session } from './session.ts';
import { endSession } from './sessions.ts';
import { dropWill } from './wills.ts';

export interface TakeAwayParts {
  /** Whose a session is; undefined = nobody's any more. */
  readonly subjectOf: (session: StoredSession) => Subject | undefined;
  /** Only this identity, by key; undefined = all. */
  readonly only?: string;
}

/** Ends whatever does not hold any more; what each identity lost that is gone, by key. */
export function takeAway(core: Core, { subjectOf, only }: TakeAwayParts): Map<string, TakenAway> {
  const taken = new Map<string, TakenAway>();
  /** Identities that are still connected by something that holds. */
  const standing = new Set<string>();
  const gone = new Map<string, string>();
  const lossesOf = (identity: Identity, why: string): TakenAway => {
    const key = identityKey(identity);
    let losses = taken.get(key);
    if (losses === undefined) taken.set(key, (losses = { identity, why, ...NOTHING }));
    return losses;
  };
  for (const client of [...core.clients]) {
    const { identity } = client;
    if (identity === undefined || (only !== undefined && identityKey(identity) !== only)) continue;
    const fell = core.guards.standing?.(client.facts, identity, client.token);
    if (fell === undefined) {
      standing.add(identityKey(identity));
      continue;
    }
    const { session } = client;
    const losses = lossesOf(identity, fell.refusal.because);
    losses.connections += 1;
    if (client.will !== undefined) losses.wills += 1;
    if (!fell.superseded) {
      losses.superseded = false;
      gone.set(identityKey(identity), fell.refusal.because);
      if (session !== undefined) count(session, losses);
    }
    client.link.run(() => endFallen(client, fell));
    if (!fell.superseded && session !== undefined) end(core, session);
  }
  for (const session of [...core.sessions.values()]) {
    const key = session.owner;
    if (session.client !== undefined || (only !== undefined && key !== only)) continue;
    const fell = standing.has(key) ? undefined : (whyFallen(core, session) ?? gone.get(key));
    const why = fell ?? (subjectOf(session.record()) === undefined ? UNREGISTERED : undefined);
    if (why === undefined) continue;
    const losses = lossesOf(session.identity, why);
    losses.superseded = false;
    count(session, losses);
    if (session.will !== undefined) losses.wills += 1;
    end(core, session);
  }
  return taken;
}

/** Why the certificate by which a session last came finds it no more; undefined = it does, or another one may. */
export function whyFallen(
  { guards }: Core,
  { identity, certificate }: Pick<Session, 'identity' | 'certificate'>,
): string | undefined {
  const fell = certificate === undefined ? undefined : guards.takenBack?.(identity, certificate);
  return fell?.superseded === false ? fell.refusal.because : undefined;
}

/** Tells the peer no more than that an administrator did it; the operator finds the reason in `motte why`. */
export function endFallen(client: Client, { refusal }: Fallen): void {
  const { core } = client;
  if (client.state === 'closed') return;
  const { because, rule } = refusal;
  if (client.state === 'open') {
    const seen = client.version === 5 ? 'DISCONNECT 0x98' : 'the connection closed';
    core.reports.refused(client, { layer: 'identity', reason: 'administrative-action', because, rule, seen });
    endClient(client, { reason: 'administrative-action', byPeer: false, will: false });
    return;
  }
  const { reason } = refusal;
  const seen = refuseConnect(client, reason, connackReturnCode(reason));
  core.reports.refused(client, { layer: 'identity', reason, because, rule, packet: 'connect', seen });
}

function count(session: Session, losses: TakenAway): void {
  losses.sessions += 1;
  losses.queuedMessages += session.stored ? session.owedMessages : session.queue.size;
}

function end(core: Core, session: Session): void {
  // Cancelled before the session ends, for its end would publish it.
  dropWill(core, session);
  endSession(core, session);
}

/** Why a session is nobody's. */
export const UNREGISTERED = 'it is not registered any more, or disabled';

const NOTHING = { superseded: true, connections: 0, sessions: 0, queuedMessages: 0, wills: 0 };
