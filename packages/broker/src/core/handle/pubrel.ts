// PUBREL (3.6): the client lets a QoS 2 message go; it is routed now (method A) and PUBCOMP follows its commit.

import { readAck, reasonCode } from '@motte/wire';
import type { Client } from '../client.ts';
import { routeMessage } from '../delivery.ts';
import { retainMessage } from '../retained.ts';

export function receivePubrel(client: Client, buffer: Uint8Array, start: number, bodyStart: number, end: number): void {
  const { core, session } = client;
  if (session === undefined) return;
  const ack = core.ack;
  readAck(buffer, start, bodyStart, end, client.version, ack);
  const { packetId } = ack;
  if (!session.received.has(packetId)) {
    client.acknowledge(7, packetId, reasonCode('packet-identifier-not-found'), 0);
    return;
  }
  const kept = session.received.get(packetId);
  session.received.delete(packetId);
  let ticket = session.stored ? core.store.stage({ kind: 'received-end', key: session.key, packetId }, true) : 0;
  if (kept !== undefined) {
    session.receivedBytes -= kept.size;
    const passage = kept.resume(core.nowMs);
    if (passage.retain) ticket = Math.max(ticket, retainMessage(core, passage.message()));
    ticket = Math.max(ticket, routeMessage(core, passage, core.router.route(passage.topic)).ticket);
  }
  client.acknowledge(7, packetId, 0, ticket);
}
