// From a message to the clients that are entitled to it: copies, packet identifiers, quota, queues (4.3, 4.4, 4.9).
// Nothing here throws for a target's sake: what breaks there is marked, and the target's own connection ends.

import type { QoS } from '@motte/wire';
import { type Message, sizeOf } from '../ports/message.ts';
import type { QueuedMessage, Ticket } from '../ports/store.ts';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import type { AliasMode } from './frame.ts';
import { packetIdOf } from './in-flight.ts';
import type { WaitingMessage } from './memory-queue.ts';
import { Passage } from './passage.ts';
import type { Route } from './router.ts';
import type { Session } from './session.ts';
import type { SharedCopy } from './shared-copies.ts';
import type { SharedGroup } from './shared-group.ts';
import type { Target } from './target.ts';

/** Messages read from a stored queue at a time. */
const QUEUE_PAGE = 64;

const NO_IDS: readonly number[] = [];

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
      core.broken((targets[at] as Target<Session>).subscriber.client, fault);
      at += 1;
    }
  }
  for (const group of route.groups) deliverToGroup(core, group, passage);
  if (core.backplane.wants(passage.topic)) core.backplane.publish(passage.message());
  return routed;
}

/** Gives the message to one member: whoever can take it now, else whoever can queue it. */
export function deliverToGroup(core: Core, group: SharedGroup<Session> | undefined, passage: Passage): void {
  const member = group?.choose(core.canTake) ?? group?.choose(core.canQueue);
  if (group === undefined || member === undefined) return;
  try {
    deliverCopy(core, member, passage, group);
  } catch (fault) {
    core.broken(member.subscriber.client, fault);
  }
}

function deliverTo(core: Core, matched: Target<Session>, passage: Passage): void {
  const session = matched.subscriber;
  let target: Target<Session> | undefined = matched;
  if (matched.noLocal && session.key === passage.publisher) {
    target = matched.own;
    if (target === undefined) return;
  }
  deliverCopy(core, target, passage, undefined);
}

function deliverCopy(
  core: Core,
  target: Target<Session>,
  passage: Passage,
  group: SharedGroup<Session> | undefined,
): void {
  const session = target.subscriber;
  if (target.verdict === 'ask') {
    const { topic, qos, retain } = passage;
    if (!core.access.receiveMessage(core.rightsOf(session), topic, qos, retain, passage)) return;
  }
  core.routed.matched += 1;
  const qos: QoS = target.qos < passage.qos ? target.qos : passage.qos;
  const retain = target.retainAsPublished && passage.retain;
  if (qos === 0) sendQoS0(core, session.client, passage, retain, target.subscriptionIds);
  else owe(core, session, passage, qos, retain, target.subscriptionIds, group);
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
  if (client.link.congested) {
    core.dropped(client.session, passage.topic, 0, 'the client does not read fast enough');
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
): void {
  const client = session.client;
  const ready = client !== undefined && !session.behind && client.hasQuota;
  const shared = group === undefined ? undefined : { group, message: passage.message() };
  if (session.stored) {
    oweStored(core, session, passage, qos, retain, ids, shared, ready);
    return;
  }
  if (client === undefined) return;
  if (ready && session.queue.size === 0) {
    sendUnstored(core, session, client, passage, qos, retain, ids, shared);
    return;
  }
  const { queue } = session;
  if (queue.size >= core.limits.queueMessagesMax || queue.bytes >= core.limits.queueBytesMax) {
    core.dropped(session, passage.topic, qos, 'its queue is full');
    return;
  }
  queue.push({ message: passage.message(), qos, retain, subscriptionIds: ids, shared });
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
  const { queueMessagesMax, queueBytesMax } = core.limits;
  if (session.owedMessages >= queueMessagesMax || session.owedBytes >= queueBytesMax) {
    core.dropped(session, passage.topic, qos, 'its queue is full');
    return;
  }
  const client = session.client;
  const live = ready && qos === 1;
  const seq = session.sent.nextSeq(session.seq);
  const entry: QueuedMessage = {
    seq,
    message: passage.message(),
    qos,
    retain,
    subscriptionIds: ids,
    released: false,
  };
  const ticket = core.store.stage({ kind: 'queue', key: session.key, entry }, !live);
  const bytes = sizeOf(entry.message);
  session.seq = seq;
  session.owedMessages += 1;
  session.owedBytes += bytes;
  session.lastTicket = ticket;
  core.routed.ticket = ticket;
  if (client === undefined) return;
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

function sendUnstored(
  core: Core,
  session: Session,
  client: Client,
  passage: Passage,
  qos: 1 | 2,
  retain: boolean,
  ids: readonly number[],
  shared: SharedCopy | undefined,
): void {
  session.seq = session.sent.nextSeq(session.seq);
  const packetId = packetIdOf(session.seq);
  const state = qos === 1 ? 'puback' : 'pubrec';
  if (shared === undefined) session.sent.await(packetId, state);
  else session.sent.awaitEntry(packetId, { state, seq: 0, ticket: 0, bytes: 0, shared });
  transmit(core, client, passage, qos, retain, false, ids, packetId);
}

/** Sends what waits, as far as quota and connection allow; called when either has grown and after commits. */
export function drain(core: Core, session: Session): void {
  const client = session.client;
  if (client === undefined) return;
  if (session.behind) {
    readOn(core, session, client);
    return;
  }
  while (session.queue.size > 0 && client.hasQuota) {
    const { message, qos, retain, subscriptionIds, shared } = session.queue.shift() as WaitingMessage;
    if (expired(core, message) || !mayReceive(core, session, message, retain)) continue;
    const passage = Passage.ofMessage(message, core.nowMs);
    sendUnstored(core, session, client, passage, qos, retain, subscriptionIds, shared);
  }
  for (const scan of [...session.scans]) scan.goOn();
}

function readOn(core: Core, session: Session, client: Client): void {
  if (session.reading || !client.hasQuota) return;
  session.reading = true;
  const seqAsked = session.seq;
  const wasCommitted = core.store.isCommitted(session.lastTicket);
  const room = Math.min(QUEUE_PAGE, client.quota);
  core.store.readQueue(session.key, session.readSeq, room, (entries, fault) => {
    if (session.client !== client) return;
    session.reading = false;
    client.link.run(() => {
      if (fault !== undefined) throw core.storeFault(fault);
      for (const entry of entries) {
        // Once around, its identifier may belong to a message that is still open: it waits for that one's acknowledgement.
        if (session.sent.has(packetIdOf(entry.seq))) return;
        sendStored(core, session, client, entry);
      }
      if (entries.length === 0 && wasCommitted && session.seq === seqAsked) {
        session.behind = false;
        core.behind.delete(session);
      }
      if (entries.length > 0 || !session.behind) drain(core, session);
    });
  });
}

/** Sends one message of the stored queue: for the first time, again with DUP, or its PUBREL [MQTT-4.4.0-1]. */
function sendStored(core: Core, session: Session, client: Client, entry: QueuedMessage): void {
  const { seq, message, qos } = entry;
  const packetId = packetIdOf(seq);
  const bytes = sizeOf(entry.message);
  session.readSeq = seq;
  if (entry.released) {
    session.sent.awaitEntry(packetId, { state: 'pubcomp', seq, ticket: 0, bytes, shared: undefined });
    client.link.ack(6, packetId, 0);
    return;
  }
  if ((expired(core, message) && seq > session.sentSeq) || !mayReceive(core, session, message, entry.retain)) {
    settle(core, session, { seq, ticket: 0, bytes });
    return;
  }
  const dup = seq <= session.sentSeq;
  if (!dup) session.sentSeq = seq;
  const state = qos === 1 ? 'puback' : 'pubrec';
  session.sent.awaitEntry(packetId, { state, seq, ticket: 0, bytes, shared: undefined });
  transmit(
    core,
    client,
    Passage.ofMessage(message, core.nowMs),
    qos,
    entry.retain,
    dup,
    entry.subscriptionIds,
    packetId,
  );
}

/** A stored copy is no longer owed: acknowledged, expired or given up. */
export function settle(
  core: Core,
  session: Session,
  entry: { readonly seq: number; readonly ticket: Ticket; readonly bytes: number },
): void {
  if (entry.seq === 0) return;
  session.owedMessages -= 1;
  session.owedBytes -= entry.bytes;
  if (entry.ticket !== 0 && !core.store.isCommitted(entry.ticket)) core.store.strike(entry.ticket);
  else core.store.stage({ kind: 'dequeue', key: session.key, seq: entry.seq }, false);
}

/** Asked again of everything that waited: rights may have changed since it was queued or retained. */
export function mayReceive(core: Core, session: Session, message: Message, retain: boolean): boolean {
  const rights = core.rightsOf(session);
  const verdict = core.access.receive(rights, message.topic);
  if (verdict !== 'ask') return verdict === 'always';
  return core.access.receiveMessage(rights, message.topic, message.qos, retain, message);
}

function expired(core: Core, message: Message): boolean {
  if (message.expiresAtMs === 0 || message.expiresAtMs > core.nowMs) return false;
  core.counters.messagesExpired += 1;
  return true;
}

function transmit(
  core: Core,
  client: Client,
  passage: Passage,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  ids: readonly number[],
  packetId: number,
): void {
  let aliasMode: AliasMode = 0;
  let alias = 0;
  const aliases = client.outgoingAliases;
  if (aliases !== undefined) {
    alias = aliases.known(passage.topic);
    aliasMode = alias === 0 ? 0 : 2;
  }
  let template = passage.template(client.version, qos, retain, dup, aliasMode, ids.length === 0 ? NO_IDS : ids);
  if (template.bytes.length > client.packetBytesMax) {
    // [MQTT-3.1.2-25]: it is not sent, and the server acts as if it had been [MQTT-3.1.2-24].
    core.dropped(client.session, passage.topic, qos, 'it is larger than the Maximum Packet Size of the client');
    if (qos > 0 && client.session !== undefined) forget(core, client.session, packetId);
    return;
  }
  if (aliases !== undefined && alias === 0 && template.bytes.length + 3 <= client.packetBytesMax) {
    alias = aliases.give(passage.topic);
    if (alias !== 0) template = passage.template(client.version, qos, retain, dup, 1, ids);
  }
  core.counters.messagesDelivered += 1;
  client.link.send(template, packetId, alias);
}

function forget(core: Core, session: Session, packetId: number): void {
  const entry = session.sent.get(packetId);
  if (entry === undefined) return;
  session.sent.remove(packetId);
  settle(core, session, entry);
}
