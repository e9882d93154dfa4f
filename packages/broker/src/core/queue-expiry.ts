// Messages that expire in the queue of a session that is away (3.3.2.3.3), or that have waited there longer than
// `queueAgeSecondsMax`: given up there, so that a queue full of them does not keep newer ones out. The queue is looked at from its
// head and only as far as messages are over: what waits longest is over first, as a rule.

import { type Message, sizeOf } from '../ports/message.ts';
import type { Core } from './core.ts';
import { leftMs } from './expiry.ts';
import type { Session } from './session.ts';
import { settle } from './transmit.ts';

/** A queue is not looked at more often. */
const SWEEP_MS_MIN = 5_000;

const PAGE = 64;

/** In place of the time of the next look: one is under way. */
const LOOKING = -1;

/** Wall-clock ms from which on a copy that was never sent is given up; infinity = never. */
export function endOf(core: Core, message: Message, queuedAtMs: number): number {
  const age = core.limits.queueAgeSecondsMax;
  const agedAtMs = age === 0 ? Number.POSITIVE_INFINITY : queuedAtMs + age * 1000;
  return Math.min(agedAtMs, core.nowMs + leftMs(message, core));
}

/** True if a copy that was never sent is to be given up. */
export function isOver(core: Core, message: Message, queuedAtMs: number): boolean {
  return endOf(core, message, queuedAtMs) <= core.nowMs;
}

/** A message that is over at some time waits for a session that is away. */
export function watchExpiry(core: Core, session: Session, endsAtMs: number): void {
  if (endsAtMs === Number.POSITIVE_INFINITY || (session.sweepAtMs !== 0 && session.sweepAtMs <= endsAtMs)) return;
  session.sweepAtMs = Math.max(endsAtMs, core.nowMs + SWEEP_MS_MIN);
  core.after(session.queueDeadline, session.sweepAtMs - core.nowMs, () => look(core, session));
}

/** The session is back, or over: its queue needs no watching. */
export function unwatchExpiry(core: Core, session: Session): void {
  if (session.sweepAtMs === 0) return;
  session.sweepAtMs = 0;
  core.deadlines.cancel(session.queueDeadline);
}

/** A disk that does not take writes, or not yet, puts it off. */
function look(core: Core, session: Session): void {
  if (core.store.isCommitted(session.readableTicket)) {
    session.sweepAtMs = LOOKING;
    sweep(core, session, session.sentSeq);
    return;
  }
  session.sweepAtMs = 0;
  watchExpiry(core, session, core.nowMs);
}

function sweep(core: Core, session: Session, afterSeq: number): void {
  const { generation, seq: seqAsked } = session;
  const wasCommitted = core.store.isCommitted(session.lastTicket);
  core.store.readQueue(session.key, afterSeq, PAGE, (entries, fault) => {
    // Whoever was here meanwhile has left a watch of its own.
    const stillAway = session.sweepAtMs === LOOKING && session.generation === generation;
    if (!stillAway) return;
    // What the look has not met, since it could not be read or came too late for it, is met by another one.
    const isWhole = fault === undefined && wasCommitted && session.seq === seqAsked;
    let next = isWhole ? Number.POSITIVE_INFINITY : core.nowMs;
    let gone = 0;
    for (const { seq, message, qos, queuedAtMs } of entries) {
      // [MQTT-4.3.3-7]: what was sent once does not expire, and what may have been with QoS 2 is settled with the client alone.
      if (message === undefined || seq <= session.sentSeq || (qos === 2 && seq <= session.unsureSeq)) continue;
      const endsAtMs = endOf(core, message, queuedAtMs);
      if (endsAtMs <= core.nowMs) {
        core.counters.messagesExpired += 1;
        settle(core, session, { seq, ticket: 0, bytes: sizeOf(message) });
        gone += 1;
      } else if (endsAtMs < next) next = endsAtMs;
    }
    if (gone > 0) session.readableTicket = core.store.lastTicket;
    const last = entries.at(-1);
    if (gone > 0 && last !== undefined && entries.length === PAGE) {
      sweep(core, session, last.seq);
      return;
    }
    session.sweepAtMs = 0;
    watchExpiry(core, session, next);
  });
}
