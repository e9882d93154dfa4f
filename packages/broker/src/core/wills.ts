// Will messages (3.1.2.5, 3.1.3.2.2): kept while the connection lives, due when it ends without DISCONNECT 0x00,
// delayed at most until the session ends. May they be published is asked at CONNECT and again when they are. The store has
// them from CONNECT on: a broker that dies with its clients connected owes their wills after its next start.

import { encodePublishProperties, type Will } from '@motte/wire';
import { identityKey } from '../ports/identity.ts';
import type { Message } from '../ports/message.ts';
import type { StoredWill } from '../ports/store.ts';
import type { Core } from './core.ts';
import { givenNow } from './expiry.ts';
import { retainIfRoom } from './retained.ts';
import type { Session } from './session.ts';

/** The client is connected and has a will: 3.1.2.5 lets the publication wait for a restart, not lapse with it. */
export function keepWill(core: Core, session: Session, will: Will): void {
  // Nothing can be promised while the disk takes nothing, and nothing may pile up for it.
  if (core.store.failing !== undefined) return;
  if (!session.stored) core.store.stage({ kind: 'session', session: session.record() }, false);
  core.store.stage({ kind: 'will', key: session.key, will: waitingWill(core, session, will) }, false);
  session.willKept = true;
}

/** The connection ended and the will is due now, or after its delay if the session lives that long [MQTT-3.1.2-8]. */
export function leaveWill(core: Core, session: Session, will: Will): void {
  const waiting = waitingWill(core, session, will);
  if (waiting.delaySeconds === 0 || session.expirySeconds === 0) {
    sendWill(core, session, waiting);
    return;
  }
  session.will = waiting;
  if (session.stored && !session.willKept) {
    core.store.stage({ kind: 'will', key: session.key, will: waiting }, true);
    session.willKept = true;
  }
  scheduleWill(core, session);
}

/** When a will that waits is due, in wall-clock ms. */
export function willDueAtMs({ endedAtMs, will }: Session): number {
  return will === undefined ? Number.POSITIVE_INFINITY : endedAtMs + will.delaySeconds * 1000;
}

/** Arms the delay of a will that waits: it runs from when the connection ended, also while the broker was down. */
export function scheduleWill(core: Core, session: Session): void {
  if (session.will === undefined) return;
  core.after(session.willDeadline, willDueAtMs(session) - core.nowMs, () => publishWillNow(core, session));
}

/** The session ended, or the delay has passed: a waiting will goes out. */
export function publishWillNow(core: Core, session: Session): void {
  const { will } = session;
  if (will === undefined) return;
  session.will = undefined;
  core.deadlines.cancel(session.willDeadline);
  sendWill(core, session, will);
}

/** Publishes it and forgets it. Where it is on the disk both become true there together, or it would be lost or go out twice. */
function sendWill(core: Core, session: Session, will: StoredWill): void {
  const send = (): void => {
    publishWill(core, session, will);
    dropWill(core, session);
  };
  if (session.willKept) core.store.atomically(send);
  else send();
}

/** Forgets the will: it was published, the client is back in time [MQTT-3.1.3-9], or it said goodbye [MQTT-3.1.2-10]. */
export function dropWill(core: Core, session: Session): void {
  if (session.will !== undefined) {
    session.will = undefined;
    core.deadlines.cancel(session.willDeadline);
  }
  // Where nothing else of the session is stored it goes with it.
  if (!session.willKept || !session.stored) return;
  session.willKept = false;
  core.store.stage({ kind: 'unwill', key: session.key }, false);
}

function publishWill(core: Core, session: Session, { message, expirySeconds }: StoredWill): void {
  const { topic, qos, retain } = message;
  const who = { identity: identityKey(session.identity), clientId: session.clientId, topic };
  const verdict = core.access.publish(core.rightsOf(session), topic, qos, retain, message);
  if (!verdict.allow) {
    core.emit('will.refused', { ...who, because: verdict.because });
    return;
  }
  const due =
    expirySeconds < 0
      ? message
      : { ...message, expiresAtMs: core.nowMs + expirySeconds * 1000, given: givenNow(core, expirySeconds) };
  if (retain) retainWill(core, session, due);
  core.route(due);
  core.emit('will.published', who);
}

/** Whoever comes and goes may have a topic of its own each time: while the disk takes nothing only so much waits for it. */
function retainWill(core: Core, session: Session, message: Message): void {
  const { failing, stagedBytes } = core.store;
  if (failing === undefined || stagedBytes <= core.limits.stagedBytesMax) {
    retainIfRoom(core, session, message);
    return;
  }
  const why = `it cannot be retained: nothing can be stored now: ${failing}`;
  core.reports.dropped(session, message.topic, message.qos, why);
}

function waitingWill(core: Core, session: Session, will: Will): StoredWill {
  const { willDelayInterval = 0, messageExpiryInterval = -1, ...forwarded } = will.properties;
  const message: Message = {
    topic: will.topic,
    topicBytes: core.utf8(will.topic),
    payload: will.payload,
    qos: will.qos,
    retain: will.retain,
    properties: encodePublishProperties(forwarded),
    expiresAtMs: 0,
    given: undefined,
    publisher: session.key,
    owner: identityKey(session.identity),
  };
  return { message, delaySeconds: willDelayInterval, expirySeconds: messageExpiryInterval };
}
