// SUBACK (3.9): one reason code per filter, in the order of the SUBSCRIBE ([MQTT-3.8.4-6], [MQTT-3.9.3-1]).

import type { Cursor } from '../cursor.ts';
import { protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { readProperties, writeProperties } from '../property-codec.ts';
import { reasonOf } from '../reasons.ts';
import type { Writer } from '../writer.ts';
import { readPacketId, writePacketId } from './packet-id.ts';
import type { ProtocolVersion } from './types.ts';

export interface Suback {
  readonly type: 'suback';
  readonly packetId: number;
  /** Before MQTT 5.0 the return codes: 0 to 2, or 0x80 for a refusal. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties<'suback'>;
}

export function decodeSuback(input: Cursor, version: ProtocolVersion): Suback {
  const packetId = readPacketId(input);
  const properties = readProperties(input, 'suback', version);
  const reasonCodes: number[] = [];
  while (input.left > 0) reasonCodes.push(input.byte());
  checkSubackCodes(reasonCodes, version);
  return { type: 'suback', packetId, reasonCodes, properties };
}

export function encodeSuback(packet: Suback, version: ProtocolVersion, output: Writer): void {
  writePacketId(output, packet.packetId);
  writeProperties(output, 'suback', version, packet.properties);
  checkSubackCodes(packet.reasonCodes, version);
  for (const code of packet.reasonCodes) output.byte(code);
}

function checkSubackCodes(codes: readonly number[], version: ProtocolVersion): void {
  if (codes.length === 0) throw protocolError('MQTT-3.8.4-6', 'SUBACK answers nothing');
  for (const code of codes) {
    const known = version === 5 ? reasonOf('suback', code) !== undefined : code <= 2 || code === FAILURE;
    // [MQTT-3.9.3-2] has the same id in both versions.
    if (!known) throw protocolError('MQTT-3.9.3-2', `SUBACK cannot carry the code ${code}`);
  }
}

/** 3.9.3 of MQTT 3.1.1; MQTT 3.1 had no way to refuse. */
const FAILURE = 0x80;
