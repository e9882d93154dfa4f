// A start: the sessions that the store kept come back as if their clients had just lost the connection, except that the time
// the broker was down counts: what fell due meanwhile is done before anybody is let in, and whoever was taken away meanwhile
// has lost everything. What they are owed stays in the store until they ask for it.

import type { Subject } from '../ports/access.ts';
import { identityKey } from '../ports/identity.ts';
import type { OpenedSession, StoredSession } from '../ports/store.ts';
import type { TakenAway } from '../ports/taken-away.ts';
import { kindOf } from '../ports/users.ts';
import type { Core } from './core.ts';
import { watchExpiry } from './queue-expiry.ts';
import { NEVER_EXPIRES, type Session } from './session.ts';
import { endSession, restoreSession, scheduleExpiry, sentBefore } from './sessions.ts';
import { handOnQueue } from './shared-copies.ts';
import { UNREGISTERED, whyFallen } from './take-away.ts';
import { publishWillNow, scheduleWill, willDueAtMs } from './wills.ts';

/** Who a stored session belongs to and by which way it last came; undefined = the identity is no longer known. */
export type SubjectOf = (session: StoredSession) => Subject | undefined;

/** A generation that no policy has. */
const STALE = -1;

/** Queues are first looked at for expired messages one after the other. */
const SWEEP_APART_MS = 2;

/** How many sessions came back, and what identities lost that were taken away meanwhile. */
export interface Restored {
  readonly sessions: number;
  readonly lost: readonly TakenAway[];
}

/** Brings back every session the store knows; calls back once all are there, or with what went wrong. */
export function restoreSessions(
  core: Core,
  subjectOf: SubjectOf,
  done: (restored: Restored, fault?: Error) => void,
): void {
  core.store.listSessions((opened, fault) => {
    let restored: Restored = { sessions: 0, lost: [] };
    let failure = fault;
    try {
      if (failure === undefined) restored = restoreAll(core, opened, subjectOf);
    } catch (thrown) {
      failure = thrown as Error;
    }
    done(restored, failure);
  });
}

function restoreAll(core: Core, opened: readonly OpenedSession[], subjectOf: SubjectOf): Restored {
  const back: Session[] = [];
  const orphans: { readonly opened: OpenedSession; readonly why: string }[] = [];
  for (const one of opened) {
    const subject = subjectOf(one.session);
    const { certificate } = one.session;
    const why = subject === undefined ? UNREGISTERED : whyFallen(core, { identity: subject.identity, certificate });
    if (subject === undefined || why !== undefined) orphans.push({ opened: one, why: why ?? UNREGISTERED });
    else back.push(restore(core, one, subject));
  }
  const lost = new Map<string, TakenAway>();
  // Not before everybody is there to whom any of this may go.
  for (const { opened: orphan, why } of orphans) {
    discard(core, orphan, why);
    count(lost, orphan, why);
  }
  const due = back.filter((session) => Math.min(endsAtMs(session), willDueAtMs(session)) <= core.nowMs);
  due.sort((a, b) => Math.min(endsAtMs(a), willDueAtMs(a)) - Math.min(endsAtMs(b), willDueAtMs(b)));
  for (const session of due) catchUp(core, session);
  let place = 0;
  for (const session of back) if (!session.isOver) wait(core, session, place++);
  core.count();
  return { sessions: place, lost: [...lost.values()] };
}

function restore(core: Core, opened: OpenedSession, subject: Subject): Session {
  const { key, clientId, generation } = opened.session;
  const { identity } = subject;
  const rights = core.access.rightsOf(subject);
  // An operator who lowered the limit means these sessions too.
  const expirySeconds = Math.min(opened.session.expirySeconds, core.limits.sessionExpirySecondsMax);
  const start = { key, identity, clientId, subject, rights, expirySeconds, generation, stored: true };
  const session = restoreSession(core, start, opened);
  if (session.endedAtMs === 0) {
    // It was connected when the broker went down without a word.
    session.endedAtMs = core.nowMs;
    core.store.stage({ kind: 'session', session: session.record() }, false);
  }
  // Made anew once they are asked for: rights of a hundred thousand who are away are mostly never.
  session.rights = { generation: STALE, identity, quotas: rights.quotas };
  // A clock that was set back gives nobody more time than was asked for.
  session.endedAtMs = Math.min(session.endedAtMs, core.nowMs);
  return session;
}

/** What should have happened while nobody was there to do it, in its order. */
function catchUp(core: Core, session: Session): void {
  if (willDueAtMs(session) <= core.nowMs) publishWillNow(core, session);
  if (endsAtMs(session) > core.nowMs) return;
  // One that was to end with its connection is only there for the will of a client that the broker died with.
  if (session.expirySeconds > 0) {
    core.emit('session.expired', { identity: session.identity.name, clientId: session.clientId });
  }
  endSession(core, session);
}

/** What is still to come. */
function wait(core: Core, session: Session, place: number): void {
  scheduleWill(core, session);
  scheduleExpiry(core, session);
  if (session.owedMessages > 0) watchExpiry(core, session, core.nowMs + place * SWEEP_APART_MS);
}

/** Nobody can come for it any more; what a group shares in its queue goes to another member (4.8.2). */
function discard(core: Core, opened: OpenedSession, why: string): void {
  const { key, realm, name, clientId } = opened.session;
  core.emit('session.discarded', { identity: identityKey({ realm, name }), clientId, why });
  const filters = opened.subscriptions.map(({ filter }) => filter);
  handOnQueue(core, { key, sentSeq: sentBefore(opened), owedMessages: opened.queuedMessages, filters });
  core.store.stage({ kind: 'session-end', key }, true);
}

/** Adds it to what its identity lost; of those who are anonymous it is the listener that is gone. */
function count(lost: Map<string, TakenAway>, { session, queuedMessages, will }: OpenedSession, why: string): void {
  const { realm, name, roles = [], kind = kindOf(realm) } = session;
  if (kind === 'anonymous') return;
  const key = identityKey({ realm, name });
  let losses = lost.get(key);
  if (losses === undefined) lost.set(key, (losses = { identity: { realm, name, kind, roles }, why, ...NOTHING }));
  losses.sessions += 1;
  losses.queuedMessages += queuedMessages;
  if (will !== undefined) losses.wills += 1;
}

function endsAtMs({ endedAtMs, expirySeconds }: Session): number {
  return expirySeconds === NEVER_EXPIRES ? Number.POSITIVE_INFINITY : endedAtMs + expirySeconds * 1000;
}

const NOTHING = { superseded: false, connections: 0, sessions: 0, queuedMessages: 0, wills: 0 };
