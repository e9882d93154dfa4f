// PUBLISH from a client (3.3), the hot path: state, then topic alias, then access, which sees the real topic, then the
// route. QoS 0 and 1 are routed here, QoS 2 when PUBREL releases it.

import { PeerError, type Reason, readPublish, reasonCode, type TopicName } from '@motte/wire';
import { Fault } from '../../ports/fault.ts';
import { NO_QUOTAS } from '../../ports/quotas.ts';
import { ALLOW, type Refusal, refuse, type Verdict } from '../../ports/verdict.ts';
import type { Client } from '../client.ts';
import { routeMessage } from '../delivery.ts';
import { Frame } from '../frame.ts';
import { Passage } from '../passage.ts';
import { checkMessage, checkRate } from '../quotas.ts';
import { mayRetain, retainMessage } from '../retained.ts';
import type { Route } from '../router.ts';
import type { Session } from '../session.ts';

const NO_SUBSCRIBERS = reasonCode('no-matching-subscribers');

export function receivePublish(
  client: Client,
  buffer: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
): void {
  const { core, session } = client;
  if (session === undefined) return;
  const { view } = core;
  readPublish(buffer, start, bodyStart, end, client.version, view);
  core.counters.messagesReceived += 1;
  if (view.subscriptionIdentifiers > 0) {
    throw new PeerError('protocol-error', 'MQTT-3.3.4-6', 'a client does not send Subscription Identifiers');
  }
  const { qos, packetId } = view;
  if (qos > 0) {
    if (core.stopping !== undefined && !session.received.has(packetId)) {
      // Neither kept nor acknowledged: it comes again, to the broker that starts next.
      client.isLeaving = true;
      return;
    }
    checkQuota(client, qos, packetId);
  }
  if (core.store.stagedBytes > core.limits.stagedBytesMax) client.hold();
  let topic: TopicName;
  let topicBytes: Uint8Array | undefined;
  if (view.topicAlias === 0) {
    topic = core.topics.parse(buffer, view.topicStart, view.topicEnd);
  } else if (view.topicEnd > view.topicStart) {
    topic = core.topics.parse(buffer, view.topicStart, view.topicEnd);
    client.aliases.set(view.topicAlias, topic, buffer.subarray(view.topicStart, view.topicEnd));
  } else {
    const known = client.aliases.resolve(view.topicAlias);
    topic = known.topic;
    topicBytes = known.bytes;
  }
  const rights = core.rightsOf(session);
  const { quotas } = rights;
  const payloadBytes = view.payloadEnd - view.payloadStart;
  if (qos === 2 && session.received.has(packetId)) {
    if (client.version === 5) client.receiveQuota.receive(packetId);
    // Its answer is promised already, but what came again was read again.
    if (quotas !== NO_QUOTAS) checkRate(client, quotas, session.account, payloadBytes);
    // The same message again [MQTT-4.3.3-10]: it was kept already, only PUBREC was lost. Or it was not written yet.
    client.acknowledge(5, packetId, 0, session.stored ? core.store.lastTicket : 0);
    leaveRoomForAnswers(client, session);
    return;
  }
  const { retain } = view;
  const origin = { topic, qos, retain, publisher: session.key, owner: session.owner };
  const frame = Frame.of(buffer, start, end, view, client.version, topicBytes);
  const passage = Passage.ofFrame(frame, origin, view.messageExpiry, core);
  let verdict = core.access.publish(rights, topic, qos, retain, passage);
  if (quotas !== NO_QUOTAS) {
    if (verdict.allow) verdict = checkMessage(quotas, topic, payloadBytes);
    // Asked of what is refused as well: it costs the broker no less. The first reason is the one that is told.
    const rate = checkRate(client, quotas, session.account, payloadBytes);
    if (verdict.allow) verdict = rate;
  }
  if (!verdict.allow) {
    refusePublish(client, session, verdict, 'access', topic);
    return;
  }
  const route = core.router.route(topic);
  if (route.isTooDeep) {
    const because = `the topic has more than ${core.limits.topicLevelsMax} levels`;
    refusePublish(client, session, refuse('topic-name-invalid', because, 'limits.topicLevelsMax'), 'broker', topic);
    return;
  }
  const room = roomFor(client, session, passage, route, payloadBytes);
  if (!room.allow) {
    // MQTT 3 has no way to say no, and an acknowledgement would be a promise: the client is to come again and send it again.
    if (qos > 0 && client.version !== 5 && core.store.failing !== undefined) throw new Fault(room.because);
    refusePublish(client, session, room, 'broker', topic);
    return;
  }
  if (qos === 2) {
    keep(client, session, passage, packetId, route.targets.length + route.groups.length > 0);
    return;
  }
  let ticket = 0;
  if (passage.retain) ticket = retainMessage(core, passage.message());
  const routed = routeMessage(core, passage, route);
  if (qos === 1) {
    if (routed.ticket > ticket) ticket = routed.ticket;
    client.acknowledge(4, packetId, routed.matched === 0 ? NO_SUBSCRIBERS : 0, ticket);
  }
}

/** Whether the store takes what this message needs of it, and not too much of the session was left unreleased. */
function roomFor(client: Client, session: Session, passage: Passage, route: Route<Session>, bytes: number): Verdict {
  const { core } = client;
  const { failing } = core.store;
  if (failing !== undefined && needsStore(session, passage, route)) {
    return refuse('quota-exceeded', `nothing can be stored now: ${failing}`, 'store');
  }
  const { queueMessagesMax } = core.limits;
  const isCounted = passage.qos === 2 && client.version === 5;
  if (isCounted && session.received.size - client.receiveQuota.size >= queueMessagesMax) {
    const because = `${queueMessagesMax} QoS 2 messages of earlier connections were not released`;
    return refuse('quota-exceeded', because, 'limits.queueMessagesMax');
  }
  if (!passage.retain) return ALLOW;
  return mayRetain(core, passage.topic, bytes, session.owner, core.rightsOf(session).quotas);
}

/** Live QoS 0 is the one kind of message that can do without. */
function needsStore(session: Session, { qos, retain }: Passage, { targets, groups }: Route<Session>): boolean {
  if (retain || (qos === 2 && session.stored)) return true;
  return qos > 0 && (groups.length > 0 || targets.some(({ subscriber }) => subscriber.stored));
}

/** QoS 2, method A: message and packet identifier are kept until PUBREL; PUBREC follows the commit. */
function keep(client: Client, session: Session, passage: Passage, packetId: number, matched: boolean): void {
  const { core } = client;
  const bytes = session.receivedBytes + passage.size;
  checkUnreleased(client, session);
  if (bytes > core.limits.queueBytesMax) {
    throw new PeerError(
      'quota-exceeded',
      'limits.queueBytesMax',
      'too many bytes of QoS 2 messages that were not released',
    );
  }
  session.receivedBytes = bytes;
  session.receive(packetId, passage.keep());
  if (client.version === 5) client.receiveQuota.receive(packetId);
  const ticket = session.stored
    ? core.store.stage({ kind: 'receive', key: session.key, packetId, message: passage.message() }, true)
    : 0;
  client.acknowledge(5, packetId, matched ? 0 : NO_SUBSCRIBERS, ticket);
  leaveRoomForAnswers(client, session);
}

/**
 * The next message may be one too many and end the connection. A client that was not told PUBREC for those before would send
 * them all again, and meet the same end each time; one that was told releases them when it comes back.
 */
function leaveRoomForAnswers(client: Client, session: Session): void {
  const { queueMessagesMax, queueBytesMax, packetBytesMax } = client.core.limits;
  const isLast = client.version !== 5 && session.received.size >= queueMessagesMax;
  if (isLast || session.receivedBytes + packetBytesMax > queueBytesMax) client.holdForAnswers();
}

/** An MQTT 3 client cannot be told a Receive Maximum, and as little is kept for it as for one that is away. */
function checkUnreleased(client: Client, session: Session): void {
  const { queueMessagesMax } = client.core.limits;
  if (client.version === 5 || session.received.size < queueMessagesMax) return;
  const because = `${queueMessagesMax} QoS 2 messages were not released`;
  throw new PeerError('quota-exceeded', 'limits.queueMessagesMax', because);
}

/**
 * A client may have as many unfinished QoS 1 and 2 messages as the broker's Receive Maximum [MQTT-3.3.4-7]. MQTT 3 knows
 * no such number: its client is not read while that many PUBACKs wait, and QoS 2 is bounded by `keep`.
 */
function checkQuota(client: Client, qos: number, packetId: number): void {
  const max = client.core.limits.receiveMaximum;
  if (client.version !== 5) {
    if (client.acks.pubacks >= max) client.hold();
    return;
  }
  const { receiveQuota } = client;
  if (receiveQuota.hasRoom(client.acks.pubacks, max) || (qos === 2 && receiveQuota.has(packetId))) return;
  throw new PeerError('receive-maximum-exceeded', 'MQTT-3.3.4-7', `more than ${max} messages that are not finished`);
}

/** MQTT 5.0 tells the client; MQTT 3 has no way to, so the message is acknowledged and dropped [MQTT-3.3.5-2]. */
function refusePublish(
  client: Client,
  session: Session,
  refusal: Refusal,
  layer: 'access' | 'broker',
  topic: TopicName,
): void {
  const { core } = client;
  const { qos, packetId } = core.view;
  const code = client.version === 5 ? reasonCode(refusal.reason as Reason) : 0;
  let seen = 'nothing: the message was dropped';
  if (qos === 1) {
    client.acknowledge(4, packetId, code, 0);
    seen = client.version === 5 ? `PUBACK 0x${code.toString(16)}` : 'PUBACK';
  } else if (qos === 2) {
    // With an error code the exchange ends at PUBREC; without one PUBREL will come and find nothing to route.
    if (client.version !== 5) {
      checkUnreleased(client, session);
      session.receive(packetId, undefined);
    }
    client.acknowledge(5, packetId, code, 0);
    seen = client.version === 5 ? `PUBREC 0x${code.toString(16)}` : 'PUBREC';
  }
  const { reason, because, rule } = refusal;
  core.reports.refusedOften(client, { layer, reason, because, rule, packet: 'publish', topic, seen });
}
