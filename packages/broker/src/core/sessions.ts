// Begin, hand over, leave and end of sessions (4.1, 3.1.2.4, 3.1.2.11.2), and what is due when they end: the will.

import type { OpenedSession } from '../ports/store.ts';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import { Passage } from './passage.ts';
import { unwatchExpiry, watchExpiry } from './queue-expiry.ts';
import { reauthoriseSession } from './reauthorise.ts';
import { NEVER_EXPIRES, Session, type SessionStart } from './session.ts';
import { handOnQueue, requeueShared } from './shared-copies.ts';
import { dropWill, leaveWill, publishWillNow } from './wills.ts';

/** Makes a new session, unknown to the store until its first record is staged. */
export function beginSession(core: Core, start: SessionStart): Session {
  const session = new Session(start, core.owed.enter(start.identity));
  core.openings.overtake(session.key);
  core.sessions.set(session.key, session);
  return session;
}

/** Ends a session: whatever it was owed is gone, its will is published if it still waited [MQTT-3.1.2-8]. */
export function endSession(core: Core, session: Session): void {
  if (core.sessions.get(session.key) !== session) return;
  // The router forgets them before what it leaves behind goes to others.
  const filters = session.stored ? [...core.router.filtersOf(session)] : [];
  core.sessions.delete(session.key);
  core.behind.delete(session);
  core.router.drop(session);
  core.deadlines.cancel(session.key);
  unwatchExpiry(core, session);
  session.queue.clear();
  // A remembered route may hold on to the session for a while, and must not hold these.
  for (const packetId of session.received.keys()) session.unreceive(packetId);
  session.receivedBytes = 0;
  session.handover?.end();
  if (session.stored) {
    const { key, sentSeq, owedMessages } = session;
    handOnQueue(core, { key, sentSeq, owedMessages, filters });
  }
  core.owed.leave(session);
  publishWillNow(core, session);
  if (session.stored || session.willKept) core.store.stage({ kind: 'session-end', key: session.key }, session.stored);
}

/** The connection is gone: the will takes its course, the session stays for its expiry interval or ends now. */
export function leaveSession(client: Client, session: Session, will: boolean): void {
  const { core } = client;
  session.client = undefined;
  session.account.connections -= 1;
  session.reading = false;
  session.handover?.leave();
  core.behind.delete(session);
  requeueShared(core, session);
  session.sent.clear();
  session.endedAtMs = core.nowMs;
  if (will && client.will !== undefined) leaveWill(core, session, client.will);
  else dropWill(core, session);
  if (session.expirySeconds === 0) {
    endSession(core, session);
    return;
  }
  session.behind = true;
  session.readSeq = 0;
  // Whether any of what waits expires, the first look will tell.
  if (session.owedMessages > 0) watchExpiry(core, session, core.nowMs);
  session.readableTicket = core.store.stage({ kind: 'session', session: session.record() }, true);
  scheduleExpiry(core, session);
}

/** Arms the end of an away session. */
export function scheduleExpiry(core: Core, session: Session): void {
  if (session.expirySeconds === NEVER_EXPIRES) return;
  core.after(session.key, session.endedAtMs + session.expirySeconds * 1000 - core.nowMs, () => {
    core.emit('session.expired', { identity: session.identity.name, clientId: session.clientId });
    endSession(core, session);
  });
}

/** A client has its session again: nothing that was to happen in its absence happens [MQTT-3.1.3-9]. */
export function rejoinSession(core: Core, session: Session): void {
  session.endedAtMs = 0;
  session.handover?.comeBack();
  core.deadlines.cancel(session.key);
  unwatchExpiry(core, session);
  dropWill(core, session);
}

/** A session that only the store knows, as after a restart: what was owed is read from its queue once it is joined. */
export function restoreSession(core: Core, start: SessionStart, opened: OpenedSession): Session {
  const session = beginSession(core, start);
  // A limit that was lowered meanwhile keeps one out; it stays in the store.
  for (const subscription of opened.subscriptions) core.router.subscribe(session, subscription);
  for (const [packetId, message] of opened.received) {
    const passage = message === undefined ? undefined : Passage.ofMessage(message, core);
    session.receive(packetId, passage);
    session.receivedBytes += passage?.size ?? 0;
  }
  session.sentSeq = opened.session.sentSeq;
  session.unsureSeq = sentBefore(opened);
  session.seq = Math.max(opened.lastSeq, session.unsureSeq);
  core.owed.set(session, opened.queuedMessages, opened.queuedBytes);
  session.behind = true;
  session.endedAtMs = opened.session.endedAtMs;
  session.certificate = opened.session.certificate;
  session.will = opened.will;
  session.willKept = opened.will !== undefined;
  reauthoriseSession(core, session);
  return session;
}

/**
 * How far its queue may have been sent. Of a session that was connected when the broker went down nobody knows.
 */
export function sentBefore({ session, lastSeq }: OpenedSession): number {
  const { endedAtMs, sentSeq, unsureSeq } = session;
  return Math.max(sentSeq, unsureSeq, endedAtMs === 0 ? lastSeq : 0);
}
