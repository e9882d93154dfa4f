// PUBREL (3.6): the client lets a QoS 2 message go; it is routed now (method A) and PUBCOMP follows its commit.

import { readAck, reasonCode } from '@motte/wire';
import type { Client } from '../client.ts';
import { routeMessage } from '../delivery.ts';
import { sizeOf } from '../memory-queue.ts';
import { Passage } from '../passage.ts';
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
  const message = session.received.get(packetId);
  session.received.delete(packetId);
  let ticket = session.stored ? core.store.stage({ kind: 'received-end', key: session.key, packetId }, true) : 0;
  if (message !== undefined) {
    session.receivedBytes -= sizeOf({ message });
    if (message.retain) ticket = Math.max(ticket, retainMessage(core, message));
    ticket = Math.max(ticket, routeMessage(core, Passage.ofMessage(message, core.nowMs)).ticket);
  }
  client.acknowledge(7, packetId, 0, ticket);
}
