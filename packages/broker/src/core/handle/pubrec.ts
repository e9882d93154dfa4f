// PUBREC (3.5): the client has a QoS 2 message; from now on it is owed PUBREL and never the message again.

import { PeerError, readAck, reasonCode } from '@motte/wire';
import type { Client } from '../client.ts';
import { settle } from '../transmit.ts';

/** Reason codes from here on refuse the message. */
const REFUSED = 0x80;

export function receivePubrec(client: Client, buffer: Uint8Array, start: number, bodyStart: number, end: number): void {
  const { core, session } = client;
  if (session === undefined) return;
  const ack = core.ack;
  readAck(buffer, start, bodyStart, end, client.version, ack);
  const { packetId } = ack;
  const entry = session.sent.get(packetId);
  if (entry === undefined) {
    // 4.3.3: with nothing to release the PUBREL says so.
    client.acknowledge(6, packetId, reasonCode('packet-identifier-not-found'), 0);
    return;
  }
  if (entry.state === 'puback') {
    throw new PeerError('protocol-error', 'MQTT-4.3.2-1', `PUBREC for packet identifier ${packetId}, which is QoS 1`);
  }
  if (ack.reasonCode >= REFUSED) {
    session.sent.remove(packetId);
    settle(core, session, entry);
    if (session.isWaiting) core.drain(session);
    return;
  }
  if (entry.state === 'pubcomp') {
    client.acknowledge(6, packetId, 0, core.store.lastTicket);
    return;
  }
  session.sent.awaitPubcomp(packetId, entry);
  core.owed.add(session, 0, -entry.bytes);
  // A stored message is released in the store first: a PUBREL that was forgotten would deliver it twice.
  const ticket = entry.seq === 0 ? 0 : core.store.stage({ kind: 'released', key: session.key, seq: entry.seq }, true);
  client.acknowledge(6, packetId, 0, ticket);
}
