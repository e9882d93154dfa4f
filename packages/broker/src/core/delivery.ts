// From a message to the clients that are entitled to it: who gets a copy, and whether it leaves now or waits (4.3, 4.9).
// Nothing here throws for a target's sake: what breaks there is marked, and the target's own connection ends.

import type { QoS } from '@motte/wire';
import { sizeOf } from '../ports/message.ts';
import type { QueuedMessage, Ticket } from '../ports/store.ts';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import { packetIdOf } from './in-flight.ts';
import type { Passage } from './passage.ts';
import { endOf, watchExpiry } from './queue-expiry.ts';
import type { Route } from './router.ts';
import type { Session } from './session.ts';
import type { SharedCopy } from './shared-copies.ts';
import type { SharedGroup } from './shared-group.ts';
import type { Target } from './target.ts';
import { sendUnstored, transmit } from './transmit.ts';

/** What routing came to: how many were matched, and the ticket that the publisher's acknowledgement waits for. */
export interface Routed {
  matched: number;
  ticket: Ticket;
}

/** Routes a message to every target. The answer is overwritten by the next call. */
export function routeMessage(core: Core, passage: Passage, route: Route<Session>): Routed {
  const routed = core.routed;
  routed.matched = 0;
  routed.ticket = 0;
  const targets = route.targets;
  let at = 0;
  while (at < targets.length) {
    try {
      for (; at < targets.length; at++) deliverTo(core, targets[at] as Target<Session>, passage);
    } catch (fault) {
      core.reports.broken((targets[at] as Target<Session>).subscriber.client, fault);
      at += 1;
    }
  }
  for (const group of route.groups) deliverToGroup(core, group, passage);
  if (core.backplane.wants(passage.topic)) core.backplane.publish(passage.message());
  return routed;
}

/**
 * Gives the message to one member: whoever can take it now, else whoever can queue it, else it is lost and counted. One that
 * was `owed` to another member is in the store already, and does not leave it by going to this one.
 */
export function deliverToGroup(
  core: Core,
  group: SharedGroup<Session> | undefined,
  passage: Passage,
  owed = false,
): void {
  if (group === undefined) return;
  const { groupChoice } = core;
  groupChoice.passage = passage;
  const member =
    group.choose(groupChoice.canTake) ?? group.choose(groupChoice.canQueue) ?? group.choose(groupChoice.canLose);
  if (member === undefined) return;
  try {
    sendCopy(core, member, passage, group, owed);
  } catch (fault) {
    core.reports.broken(member.subscriber.client, fault);
  }
}

function deliverTo(core: Core, matched: Target<Session>, passage: Passage): void {
  const session = matched.subscriber;
  let target: Target<Session> | undefined = matched;
  if (matched.noLocal && session.key === passage.publisher) {
    target = matched.own;
    if (target === undefined) return;
  }
  deliverCopy(core, target, passage);
}

function deliverCopy(core: Core, target: Target<Session>, passage: Passage): void {
  if (target.verdict === 'ask') {
    const { topic, qos, retain } = passage;
    if (!core.access.receiveMessage(core.rightsOf(target.subscriber), topic, qos, retain, passage)) return;
  }
  sendCopy(core, target, passage, undefined, false);
}

/** A copy for a target that may receive it. */
function sendCopy(
  core: Core,
  target: Target<Session>,
  passage: Passage,
  group: SharedGroup<Session> | undefined,
  owed: boolean,
): void {
  const session = target.subscriber;
  core.routed.matched += 1;
  const qos: QoS = target.qos < passage.qos ? target.qos : passage.qos;
  const retain = target.retainAsPublished && passage.retain;
  if (qos === 0) sendQoS0(core, session.client, passage, retain, target.subscriptionIds);
  else owe(core, session, passage, qos, retain, target.subscriptionIds, group, owed);
}

/** A copy that need not arrive: sent if the client takes it now, else given up. */
export function sendQoS0(
  core: Core,
  client: Client | undefined,
  passage: Passage,
  retain: boolean,
  ids: readonly number[],
): void {
  if (client === undefined) return;
  if (!client.takesQoS0) {
    core.reports.dropped(client.session, passage.topic, 0, 'the client does not read fast enough');
    if (passage.retain) client.session?.handover?.missed(passage.topic);
    return;
  }
  transmit(core, client, passage, 0, retain, false, ids, 0);
}

/** A copy that must arrive: sent if there is quota and nothing older waits, else queued. */
export function owe(
  core: Core,
  session: Session,
  passage: Passage,
  qos: 1 | 2,
  retain: boolean,
  ids: readonly number[],
  group: SharedGroup<Session> | undefined,
  owed = false,
): void {
  const client = session.client;
  const ready = client !== undefined && !session.behind && client.hasQuota && !(owed && session.stored);
  const shared = group === undefined ? undefined : { filter: group.filter, message: passage.message() };
  if (session.stored) {
    oweStored(core, session, passage, qos, retain, ids, shared, ready);
    return;
  }
  if (client === undefined) return;
  if (ready && session.queue.size === 0) {
    sendUnstored(core, session, client, passage, qos, retain, ids, shared);
    return;
  }
  const full = core.owed.fullness(session);
  if (full !== undefined) {
    core.reports.dropped(session, passage.topic, qos, full);
    return;
  }
  const message = passage.message();
  session.queue.push({ message, qos, retain, subscriptionIds: ids, shared, queuedAtMs: core.nowMs });
  core.owed.add(session, 1, sizeOf(message));
}

/** QoS 1 to a client that is ready leaves at once and is struck out if it is acknowledged in time; all else goes by the store. */
function oweStored(
  core: Core,
  session: Session,
  passage: Passage,
  qos: 1 | 2,
  retain: boolean,
  ids: readonly number[],
  shared: SharedCopy | undefined,
  ready: boolean,
): void {
  const full = core.owed.fullness(session);
  if (full !== undefined) {
    core.reports.dropped(session, passage.topic, qos, full);
    return;
  }
  const client = session.client;
  const live = ready && qos === 1;
  const seq = session.sent.nextSeq(session.seq);
  const message = passage.message();
  const entry: QueuedMessage = {
    seq,
    message,
    qos,
    retain,
    subscriptionIds: ids,
    share: shared?.filter ?? '',
    queuedAtMs: core.nowMs,
  };
  const ticket = core.store.stage({ kind: 'queue', key: session.key, entry }, !live);
  const bytes = sizeOf(message);
  session.seq = seq;
  core.owed.add(session, 1, bytes);
  session.lastTicket = ticket;
  core.routed.ticket = ticket;
  if (client === undefined) {
    watchExpiry(core, session, endOf(core, message, core.nowMs));
    return;
  }
  if (live) {
    session.sentSeq = seq;
    session.sent.awaitEntry(packetIdOf(seq), { state: 'puback', seq, ticket, bytes, shared });
    transmit(core, client, passage, qos, retain, false, ids, packetIdOf(seq));
  } else if (!session.behind) {
    session.readSeq = seq - 1;
    session.behind = true;
    core.behind.add(session);
  }
}
