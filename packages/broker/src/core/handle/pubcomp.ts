// PUBCOMP (3.7): the last step of a QoS 2 delivery; the packet identifier is free again.

import { PeerError, readAck } from '@motte/wire';
import type { Client } from '../client.ts';
import { settle } from '../transmit.ts';

export function receivePubcomp(
  client: Client,
  buffer: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
): void {
  const { core, session } = client;
  if (session === undefined) return;
  const ack = core.ack;
  readAck(buffer, start, bodyStart, end, client.version, ack);
  const entry = session.sent.get(ack.packetId);
  if (entry === undefined) return;
  if (entry.state !== 'pubcomp') {
    throw new PeerError(
      'protocol-error',
      'MQTT-4.3.3-5',
      `PUBCOMP for packet identifier ${ack.packetId} before its PUBREL`,
    );
  }
  session.sent.remove(ack.packetId);
  settle(core, session, entry);
  if (session.isWaiting) core.drain(session);
}
