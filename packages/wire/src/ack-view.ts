// PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7) without objects: nine in ten are an identifier and nothing else.

import { Cursor } from './cursor.ts';
import { checkFlags } from './fixed-header.ts';
import { allocateBriefly } from './host-buffer.ts';
import { type AcknowledgementType, checkAcknowledgementCode, readAcknowledgement } from './packets/acknowledgement.ts';
import { zeroPacketId } from './packets/packet-id.ts';
import type { ProtocolVersion } from './packets/types.ts';
import { malformed, PeerError } from './peer-error.ts';

/** Packet types of the four acknowledgements. */
export type AckKind = 4 | 5 | 6 | 7;

/** One acknowledgement, reused. */
export class AckView {
  packetId = 0;
  reasonCode = 0;
}

/** Fills `view` from a frame whose packet type is 4 to 7; checks what `decode` checks. Throws PeerError. */
export function readAck(
  buffer: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  view: AckView,
): void {
  const firstByte = buffer[start] as number;
  checkFlags(firstByte, version);
  if (end - bodyStart === 2) {
    const packetId = ((buffer[bodyStart] as number) << 8) | (buffer[bodyStart + 1] as number);
    if (packetId === 0) throw zeroPacketId();
    view.packetId = packetId;
    view.reasonCode = 0;
    return;
  }
  const type = NAMES[(firstByte >> 4) - 4];
  if (type === undefined) throw malformed('2.1.2', 'the packet is no acknowledgement');
  const { packetId, reasonCode } = readAcknowledgement(type, new Cursor(buffer, bodyStart, end), version);
  view.packetId = packetId;
  view.reasonCode = reasonCode;
}

/** An acknowledgement without properties, in its shortest form; before MQTT 5.0 the code is not sent. Throws RangeError. */
export function encodeAck(kind: AckKind, packetId: number, reasonCode: number, version: ProtocolVersion): Uint8Array {
  if (!(packetId > 0 && packetId <= 0xffff)) throw new RangeError(`${packetId} is no packet identifier`);
  const hasCode = version === 5 && reasonCode !== 0;
  if (hasCode) assertCode(kind, reasonCode);
  const bytes = allocateBriefly(hasCode ? 5 : 4);
  bytes[0] = kind === 6 ? 0x62 : kind << 4;
  bytes[1] = hasCode ? 3 : 2;
  bytes[2] = packetId >>> 8;
  bytes[3] = packetId;
  if (hasCode) bytes[4] = reasonCode;
  return bytes;
}

function assertCode(kind: AckKind, reasonCode: number): void {
  try {
    checkAcknowledgementCode(NAMES[kind - 4] as AcknowledgementType, reasonCode);
  } catch (error) {
    if (error instanceof PeerError) throw new RangeError(error.message, { cause: error });
    throw error;
  }
}

const NAMES: readonly AcknowledgementType[] = ['puback', 'pubrec', 'pubrel', 'pubcomp'];
