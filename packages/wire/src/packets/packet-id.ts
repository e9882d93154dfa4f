// Packet identifiers (2.2.1): two bytes, never 0.

import type { Cursor } from '../cursor.ts';
import { type PeerError, protocolError } from '../peer-error.ts';
import type { Writer } from '../writer.ts';

/** Throws PeerError if the identifier is 0. */
export function readPacketId(input: Cursor): number {
  const packetId = input.uint16();
  if (packetId === 0) throw zeroPacketId();
  return packetId;
}

/** Throws PeerError if the identifier is 0: `encode` makes a RangeError of it. */
export function writePacketId(output: Writer, packetId: number): void {
  if (packetId === 0) throw zeroPacketId();
  output.uint16(packetId);
}

// [MQTT-2.2.1-3], [MQTT-2.2.1-4]; in 3.1.1 [MQTT-2.3.1-1].
export function zeroPacketId(): PeerError {
  return protocolError('MQTT-2.2.1-3', 'the packet identifier is 0');
}
