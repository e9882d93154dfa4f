// The first byte of every packet (2.1.2, 2.1.3): packet types, and which flags each may carry in which version.

import type { ProtocolVersion } from './packets/types.ts';
import { malformed, type PeerError } from './peer-error.ts';

/** Packet type numbers (2.1.2), the high half of the first byte. */
export const PACKET_TYPES = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

export type PacketType = keyof typeof PACKET_TYPES;

/** The first byte of a packet whose flags are fixed (2.1.3). */
export function firstByteOf(type: PacketType): number {
  const number = PACKET_TYPES[type];
  return (number << 4) | (HAS_FLAG_2.has(number) ? 2 : 0);
}

/** Throws PeerError unless the first byte is right for at least one version: what can be said before a CONNECT was read. */
export function checkFirstByte(byte: number): void {
  if (ANY_VERSION[byte] === 0) throw refused(byte);
}

/** Throws PeerError unless the first byte is right for this version. */
export function checkFlags(byte: number, version: ProtocolVersion): void {
  const table = version === 3 ? VERSION_3 : version === 4 ? VERSION_4 : VERSION_5;
  if (table[byte] === 0) throw refused(byte);
}

function refused(byte: number): PeerError {
  const type = byte >> 4;
  if (type === 0) return malformed('2.1.2', 'packet type 0 is reserved');
  if (type === PACKET_TYPES.auth && (byte & 15) === 0) return malformed('2.1.2', 'AUTH came before MQTT 5.0');
  if (type === PACKET_TYPES.publish) {
    // 3.1.1 has the same two rules under the same ids.
    if ((byte & 6) === 6) return malformed('MQTT-3.3.1-4', 'PUBLISH with QoS 3');
    return malformed('MQTT-3.3.1-2', 'PUBLISH with QoS 0 is marked as a duplicate');
  }
  // [MQTT-2.1.3-1]; in 3.1.1 [MQTT-2.2.2-1] and [MQTT-2.2.2-2].
  return malformed('MQTT-2.1.3-1', `packet type ${type} with the flags ${byte & 15}`);
}

/** PUBREL, SUBSCRIBE and UNSUBSCRIBE have flag bit 1 set; it was their QoS in MQTT 3.1. */
const HAS_FLAG_2: ReadonlySet<number> = new Set([
  PACKET_TYPES.pubrel,
  PACKET_TYPES.subscribe,
  PACKET_TYPES.unsubscribe,
]);

/** In MQTT 3.1 alone those three are marked when they are sent again (its 2.1, DUP). */
const RESENT: ReadonlySet<number> = new Set([...HAS_FLAG_2].map((type) => (type << 4) | 10));

/** For each first byte, 1 where it is right. */
const VERSION_4: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const type = byte >> 4;
  const flags = byte & 15;
  if (type === PACKET_TYPES.publish) return (flags & 6) !== 6 && !(flags >= 8 && (flags & 6) === 0) ? 1 : 0;
  if (type === 0 || type === PACKET_TYPES.auth) return 0;
  return flags === (HAS_FLAG_2.has(type) ? 2 : 0) ? 1 : 0;
});
const VERSION_3: Uint8Array = VERSION_4.map((right, byte) => (RESENT.has(byte) ? 1 : right));
const VERSION_5: Uint8Array = VERSION_4.map((right, byte) => (byte === PACKET_TYPES.auth << 4 ? 1 : right));
const ANY_VERSION: Uint8Array = VERSION_5.map((right, byte) => right | (VERSION_3[byte] as number));
