// The body that PUBACK, PUBREC, PUBREL and PUBCOMP share (3.4 to 3.7): identifier, reason code, properties.

import type { Cursor } from '../cursor.ts';
import { protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { NO_PROPERTIES, readProperties, writeProperties } from '../property-codec.ts';
import { reasonOf } from '../reasons.ts';
import type { Writer } from '../writer.ts';
import { readPacketId, writePacketId } from './packet-id.ts';
import type { ProtocolVersion } from './types.ts';

export type AcknowledgementType = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';

export interface Acknowledgement<T extends AcknowledgementType> {
  readonly type: T;
  readonly packetId: number;
  /** Always 0 before MQTT 5.0. */
  readonly reasonCode: number;
  readonly properties: Properties<T>;
}

export function readAcknowledgement<T extends AcknowledgementType>(
  type: T,
  input: Cursor,
  version: ProtocolVersion,
): Acknowledgement<T> {
  const packetId = readPacketId(input);
  // The reason code may be left out if it is 0, the property length if there are none (3.4.2.1, 3.4.2.2.1).
  const reasonCode = version === 5 && input.left > 0 ? input.byte() : 0;
  checkAcknowledgementCode(type, reasonCode);
  const properties: Properties<T> = input.left > 0 ? readProperties(input, type, version) : NO_PROPERTIES;
  input.finish();
  return { type, packetId, reasonCode, properties };
}

export function writeAcknowledgement<T extends AcknowledgementType>(
  packet: Acknowledgement<T>,
  version: ProtocolVersion,
  output: Writer,
): void {
  writePacketId(output, packet.packetId);
  if (version !== 5) return;
  checkAcknowledgementCode(packet.type, packet.reasonCode);
  const hasProperties = Object.keys(packet.properties).length > 0;
  if (packet.reasonCode === 0 && !hasProperties) return;
  output.byte(packet.reasonCode);
  if (hasProperties) writeProperties(output, packet.type, version, packet.properties);
}

/** Throws PeerError unless a packet of this type may carry the code. */
export function checkAcknowledgementCode(type: AcknowledgementType, code: number): void {
  if (code !== 0 && reasonOf(type, code) === undefined) {
    throw protocolError(CODE_RULES[type], `${type} cannot carry the code ${code}`);
  }
}

const CODE_RULES: Readonly<Record<AcknowledgementType, string>> = {
  puback: 'MQTT-3.4.2-1',
  pubrec: 'MQTT-3.5.2-1',
  pubrel: 'MQTT-3.6.2-1',
  pubcomp: 'MQTT-3.7.2-1',
};
