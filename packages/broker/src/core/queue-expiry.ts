// Messages that expire in the queue of a session that is away (3.3.2.3.3): given up there, so that a queue full of them does
// not keep newer ones out. The queue is looked at from its head and only as far as messages have expired: what
// waits longest expires first, as a rule.

import { type Message, sizeOf } from '../ports/message.ts';
import type { Core } from './core.ts';
import type { Session } from './session.ts';
import { settle } from './transmit.ts';

/** A queue is not looked at more often. */
const SWEEP_MS_MIN = 5_000;

const PAGE = 64;

/** A message that expires waits for a session that is away. */
export function watchExpiry(core: Core, session: Session, expiresAtMs: number): void {
  if (session.sweepAtMs !== 0 && session.sweepAtMs <= expiresAtMs) return;
  session.sweepAtMs = Math.max(expiresAtMs, core.nowMs + SWEEP_MS_MIN);
  core.after(session.queueDeadline, session.sweepAtMs - core.nowMs, () => sweep(core, session, 0));
}

/** The session is back, or over: its queue needs no watching. */
export function unwatchExpiry(core: Core, session: Session): void {
  if (session.sweepAtMs === 0) return;
  session.sweepAtMs = 0;
  core.deadlines.cancel(session.queueDeadline);
}

function sweep(core: Core, session: Session, afterSeq: number): void {
  core.store.readQueue(session.key, afterSeq, PAGE, (entries, fault) => {
    const stillAway = session.sweepAtMs !== 0 && session.client === undefined;
    if (!stillAway || fault !== undefined) return;
    let next = 0;
    let gone = 0;
    for (const { seq, message, qos } of entries) {
      // What may have been sent with QoS 2 can only be settled with the client.
      if (message === undefined || (qos === 2 && seq <= session.unsureSeq)) continue;
      // [MQTT-4.3.3-7]: what was sent once does not expire.
      if (seq > session.sentSeq && hasExpired(core, message)) {
        core.counters.messagesExpired += 1;
        settle(core, session, { seq, ticket: 0, bytes: sizeOf(message) });
        gone += 1;
      } else if (message.expiresAtMs > core.nowMs && (next === 0 || message.expiresAtMs < next))
        next = message.expiresAtMs;
    }
    const last = entries.at(-1);
    if (gone > 0 && last !== undefined && entries.length === PAGE) {
      sweep(core, session, last.seq);
      return;
    }
    session.sweepAtMs = 0;
    if (next !== 0) watchExpiry(core, session, next);
  });
}

function hasExpired(core: Core, { expiresAtMs }: Message): boolean {
  return expiresAtMs !== 0 && expiresAtMs <= core.nowMs;
}
