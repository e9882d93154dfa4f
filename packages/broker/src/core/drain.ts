// What waited for a client goes on its way as quota and connection allow (4.9): the queue in memory, the stored queue page
// by page (4.4), retained messages after a SUBSCRIBE.

import { type Message, sizeOf } from '../ports/message.ts';
import type { QueuedMessage } from '../ports/store.ts';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import { packetIdOf } from './in-flight.ts';
import type { WaitingMessage } from './memory-queue.ts';
import { Passage } from './passage.ts';
import { isOver } from './queue-expiry.ts';
import { mayReceive } from './receive-right.ts';
import type { Session } from './session.ts';
import { sendUnstored, settle, transmit } from './transmit.ts';

/** Messages read from a stored queue at a time. */
const QUEUE_PAGE = 64;

/** Sends what waits, as far as quota and connection allow; called when either has grown and after commits. */
export function drain(core: Core, session: Session): void {
  const client = session.client;
  if (client === undefined) return;
  if (session.behind) readOn(core, session, client);
  while (session.queue.size > 0 && client.hasQuota) {
    const { message, qos, retain, subscriptionIds, shared, queuedAtMs } = session.queue.shift() as WaitingMessage;
    core.owed.add(session, -1, -sizeOf(message));
    if (expired(core, message, queuedAtMs) || !isStillAllowed(core, session, message, qos, retain)) continue;
    const passage = Passage.ofMessage(message, core);
    sendUnstored(core, session, client, passage, qos, retain, subscriptionIds, shared);
  }
  session.handover?.goOn();
}

function readOn(core: Core, session: Session, client: Client): void {
  if (session.reading || !client.hasQuota || core.stopping !== undefined) return;
  // Nor before it stands that the client is connected: after a crash, what is sent now would be sent again without DUP.
  if (!core.store.isCommitted(session.readableTicket)) return;
  session.reading = true;
  const seqAsked = session.seq;
  const wasCommitted = core.store.isCommitted(session.lastTicket);
  const room = Math.min(QUEUE_PAGE, client.quota);
  core.store.readQueue(session.key, session.readSeq, room, (entries, fault) => {
    if (session.client !== client) return;
    session.reading = false;
    client.link.run(() => {
      if (fault !== undefined) throw core.reports.storeFault(fault);
      for (const entry of entries) {
        // Once around, its identifier may belong to a message that is still open: it waits for that one's acknowledgement.
        if (session.sent.has(packetIdOf(entry.seq)) || client.link.congested) return;
        sendStored(core, session, client, entry);
      }
      if (entries.length === 0 && wasCommitted && session.seq === seqAsked) {
        session.behind = false;
        core.behind.delete(session);
        countOwed(core, session);
      }
      // What was committed while this was read has nobody else to ask for it.
      if (entries.length > 0 || !session.behind || core.store.isCommitted(session.lastTicket)) drain(core, session);
    });
  });
}

/** Nothing waits in the store: what is under way is all that is owed, whatever a store that failed has lost. */
function countOwed(core: Core, session: Session): void {
  let owedMessages = 0;
  let owedBytes = 0;
  for (const [, { seq, bytes }] of session.sent) {
    if (seq === 0) continue;
    owedMessages += 1;
    owedBytes += bytes;
  }
  core.owed.set(session, owedMessages, owedBytes);
}

/** Sends one message of the stored queue: for the first time, again with DUP, or its PUBREL [MQTT-4.4.0-1]. */
function sendStored(core: Core, session: Session, client: Client, entry: QueuedMessage): void {
  const { seq, message, qos, share, queuedAtMs } = entry;
  const packetId = packetIdOf(seq);
  session.readSeq = seq;
  if (message === undefined) {
    session.sent.awaitEntry(packetId, { state: 'pubcomp', seq, ticket: 0, bytes: 0, shared: undefined });
    client.link.ack(6, packetId, 0);
    return;
  }
  const bytes = sizeOf(message);
  const isUnsent = seq > session.sentSeq;
  const mayBeSent = seq <= session.unsureSeq;
  if ((isUnsent && expired(core, message, queuedAtMs)) || !isStillAllowed(core, session, message, qos, entry.retain)) {
    if (qos === 2 && (!isUnsent || mayBeSent)) letGo(core, session, client, seq, bytes);
    else settle(core, session, { seq, ticket: 0, bytes });
    return;
  }
  // DUP on a first delivery is harmless, its absence on a second one is not [MQTT-3.3.1-1].
  const dup = !isUnsent || mayBeSent;
  if (isUnsent) session.sentSeq = seq;
  const state = qos === 1 ? 'puback' : 'pubrec';
  const shared = share === '' ? undefined : { filter: share, message };
  session.sent.awaitEntry(packetId, { state, seq, ticket: 0, bytes, shared });
  transmit(core, client, Passage.ofMessage(message, core), qos, entry.retain, dup, entry.subscriptionIds, packetId);
}

/**
 * A QoS 2 message that must not be delivered any more and that the client may have: PUBREL lets it go. Whoever has it is done with
 * its identifier, whoever has not answers that there is none.
 */
function letGo(core: Core, session: Session, client: Client, seq: number, bytes: number): void {
  session.sentSeq = Math.max(session.sentSeq, seq);
  core.owed.add(session, 0, -bytes);
  session.sent.awaitEntry(packetIdOf(seq), { state: 'pubcomp', seq, ticket: 0, bytes: 0, shared: undefined });
  client.acknowledge(6, packetIdOf(seq), 0, core.store.stage({ kind: 'released', key: session.key, seq }, true));
}

/** The same, reported if the right is gone: a message that was owed is given up. */
function isStillAllowed(core: Core, session: Session, message: Message, qos: 1 | 2, retain: boolean): boolean {
  if (mayReceive(core, session, message, retain)) return true;
  core.reports.dropped(session, message.topic, qos, 'it may not be received any more');
  return false;
}

function expired(core: Core, message: Message, queuedAtMs: number): boolean {
  if (!isOver(core, message, queuedAtMs)) return false;
  core.counters.messagesExpired += 1;
  return true;
}
