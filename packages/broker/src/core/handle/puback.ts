// PUBACK (3.4): a QoS 1 message reached the client and is no longer owed.

import { PeerError, readAck } from '@motte/wire';
import type { Client } from '../client.ts';
import { settle } from '../transmit.ts';

export function receivePuback(client: Client, buffer: Uint8Array, start: number, bodyStart: number, end: number): void {
  const { core, session } = client;
  if (session === undefined) return;
  const ack = core.ack;
  readAck(buffer, start, bodyStart, end, client.version, ack);
  const entry = session.sent.get(ack.packetId);
  // An unknown identifier may be an answer from before the connection broke; the standard asks nothing.
  if (entry === undefined) return;
  if (entry.state !== 'puback') {
    throw new PeerError(
      'protocol-error',
      'MQTT-4.3.3-1',
      `PUBACK for packet identifier ${ack.packetId}, which is QoS 2`,
    );
  }
  session.sent.remove(ack.packetId);
  settle(core, session, entry);
  if (session.isWaiting) core.drain(session);
}
