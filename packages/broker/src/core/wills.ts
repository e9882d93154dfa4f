// Will messages (3.1.2.5, 3.1.3.2.2): kept while the connection lives, due when it ends without DISCONNECT 0x00,
// delayed at most until the session ends. May they be published is asked at CONNECT and again when they are.

import { encodePublishProperties, type Will } from '@motte/wire';
import { identityKey } from '../ports/identity.ts';
import type { Message } from '../ports/message.ts';
import type { Core } from './core.ts';
import { retainIfRoom } from './retained.ts';
import type { Session } from './session.ts';

/** The connection ended and the will is due now, or after its delay if the session lives that long [MQTT-3.1.2-8]. */
export function leaveWill(core: Core, session: Session, will: Will): void {
  const delaySeconds = will.properties.willDelayInterval ?? 0;
  if (delaySeconds === 0 || session.expirySeconds === 0) {
    publishWill(core, session, will);
    return;
  }
  session.will = will;
  if (session.stored)
    core.store.stage(
      {
        kind: 'will',
        key: session.key,
        will: { message: messageOf(core, session, will), delayMs: delaySeconds * 1000 },
      },
      true,
    );
  core.after(session.willDeadline, delaySeconds * 1000, () => publishWillNow(core, session));
}

/** The session ended, or the delay has passed: a waiting will goes out. */
export function publishWillNow(core: Core, session: Session): void {
  const { will } = session;
  if (will === undefined) return;
  dropWill(core, session);
  publishWill(core, session, will);
}

/** Takes a waiting will away unpublished: the client is back in time [MQTT-3.1.3-9], or it said goodbye. */
export function dropWill(core: Core, session: Session): void {
  if (session.will === undefined) return;
  session.will = undefined;
  core.deadlines.cancel(session.willDeadline);
  if (session.stored) core.store.stage({ kind: 'unwill', key: session.key }, false);
}

function publishWill(core: Core, session: Session, will: Will): void {
  const who = { identity: identityKey(session.identity), clientId: session.clientId, topic: will.topic };
  const verdict = core.access.publish(core.rightsOf(session), will.topic, will.qos, will.retain, will);
  if (!verdict.allow) {
    core.emit('will.refused', { ...who, because: verdict.because });
    return;
  }
  const message = messageOf(core, session, will);
  if (will.retain) retainIfRoom(core, session, message);
  core.route(message);
  core.emit('will.published', who);
}

function messageOf(core: Core, session: Session, will: Will): Message {
  const { willDelayInterval: _delay, messageExpiryInterval, ...forwarded } = will.properties;
  return {
    topic: will.topic,
    topicBytes: core.utf8(will.topic),
    payload: will.payload,
    qos: will.qos,
    retain: will.retain,
    properties: encodePublishProperties(forwarded),
    expiresAtMs: messageExpiryInterval === undefined ? 0 : core.nowMs + messageExpiryInterval * 1000,
    publisher: session.key,
    owner: identityKey(session.identity),
  };
}
