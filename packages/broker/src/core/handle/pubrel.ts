// PUBREL (3.6): the client lets a QoS 2 message go; it is routed now (method A) and PUBCOMP follows its commit. Access is asked
// again: between PUBLISH and PUBREL there may be days, and the right may be gone.

import { readAck, reasonCode } from '@motte/wire';
import type { Ticket } from '../../ports/store.ts';
import type { Client } from '../client.ts';
import { routeMessage } from '../delivery.ts';
import type { Passage } from '../passage.ts';
import { retainIfRoom, retainMessage } from '../retained.ts';
import type { Session } from '../session.ts';

export function receivePubrel(client: Client, buffer: Uint8Array, start: number, bodyStart: number, end: number): void {
  const { core, session } = client;
  if (session === undefined) return;
  const ack = core.ack;
  readAck(buffer, start, bodyStart, end, client.version, ack);
  const { packetId } = ack;
  if (client.version === 5) client.receiveQuota.release(packetId, core.limits.receiveMaximum);
  if (!session.received.has(packetId)) {
    // It may have been released by a PUBREL whose commit is still under way.
    const ticket = session.stored ? core.store.lastTicket : 0;
    client.acknowledge(7, packetId, reasonCode('packet-identifier-not-found'), ticket);
    return;
  }
  const kept = session.received.get(packetId);
  session.unreceive(packetId);
  // That it was released and that it was routed become true together, or it would be lost or routed twice (4.3.3).
  const ticket = core.store.atomically(() => {
    const ended = session.stored ? core.store.stage({ kind: 'received-end', key: session.key, packetId }, true) : 0;
    if (kept === undefined) return ended;
    session.receivedBytes -= kept.size;
    return Math.max(ended, release(client, session, kept.resume(core)));
  });
  client.acknowledge(7, packetId, 0, ticket);
}

/** Routes the message if it may still be published; gives what PUBCOMP waits for. */
function release(client: Client, session: Session, passage: Passage): Ticket {
  const { core } = client;
  const { topic, qos, retain } = passage;
  const verdict = core.access.publish(core.rightsOf(session), topic, qos, retain, passage);
  if (!verdict.allow) {
    const { reason, because, rule } = verdict;
    core.reports.refusedOften(client, {
      layer: 'access',
      reason,
      because,
      rule,
      packet: 'pubrel',
      topic,
      seen: 'PUBCOMP',
    });
    return 0;
  }
  if (passage.messageExpiry === 0) {
    // [MQTT-3.3.2-5]: nobody was sent it, and its time is over. What it took the place of is gone all the same [MQTT-3.3.1-5].
    core.counters.messagesExpired += 1;
    return retain ? retainMessage(core, { ...passage.message(), payload: EMPTY }) : 0;
  }
  const ticket = retain ? retainIfRoom(core, session, passage.message()) : 0;
  return Math.max(ticket, routeMessage(core, passage, core.router.route(topic)).ticket);
}

const EMPTY = new Uint8Array(0);
