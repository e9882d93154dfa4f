// UNSUBACK (3.11): in MQTT 5.0 one reason code per filter ([MQTT-3.11.3-1]), before it none.

import type { Cursor } from '../cursor.ts';
import { protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { readProperties, writeProperties } from '../property-codec.ts';
import { reasonOf } from '../reasons.ts';
import type { Writer } from '../writer.ts';
import { readPacketId, writePacketId } from './packet-id.ts';
import type { ProtocolVersion } from './types.ts';

export interface Unsuback {
  readonly type: 'unsuback';
  readonly packetId: number;
  /** Empty before MQTT 5.0. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties<'unsuback'>;
}

export function decodeUnsuback(input: Cursor, version: ProtocolVersion): Unsuback {
  const packetId = readPacketId(input);
  const properties = readProperties(input, 'unsuback', version);
  const reasonCodes: number[] = [];
  if (version === 5) {
    while (input.left > 0) reasonCodes.push(input.byte());
    checkUnsubackCodes(reasonCodes);
  }
  input.finish();
  return { type: 'unsuback', packetId, reasonCodes, properties };
}

export function encodeUnsuback(packet: Unsuback, version: ProtocolVersion, output: Writer): void {
  writePacketId(output, packet.packetId);
  if (version !== 5) return;
  writeProperties(output, 'unsuback', version, packet.properties);
  checkUnsubackCodes(packet.reasonCodes);
  for (const code of packet.reasonCodes) output.byte(code);
}

function checkUnsubackCodes(codes: readonly number[]): void {
  if (codes.length === 0) throw protocolError('MQTT-3.11.3-1', 'UNSUBACK answers nothing');
  for (const code of codes) {
    if (reasonOf('unsuback', code) === undefined) {
      throw protocolError('MQTT-3.11.3-2', `UNSUBACK cannot carry the code ${code}`);
    }
  }
}
