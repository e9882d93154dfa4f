// DISCONNECT (3.14): without a body before MQTT 5.0. Who may send which code is the state machine's business.

import type { Cursor } from '../cursor.ts';
import { protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { NO_PROPERTIES, readProperties, writeProperties } from '../property-codec.ts';
import { reasonOf } from '../reasons.ts';
import type { Writer } from '../writer.ts';
import type { ProtocolVersion } from './types.ts';

export interface Disconnect {
  readonly type: 'disconnect';
  /** Always 0 before MQTT 5.0. */
  readonly reasonCode: number;
  readonly properties: Properties<'disconnect'>;
}

export function decodeDisconnect(input: Cursor, version: ProtocolVersion): Disconnect {
  // The reason code may be left out if it is 0, the property length if there are none (3.14.2.1, 3.14.2.2.1).
  const reasonCode = version === 5 && input.left > 0 ? input.byte() : 0;
  checkDisconnectCode(reasonCode);
  const properties = input.left > 0 ? readProperties(input, 'disconnect', version) : NO_PROPERTIES;
  input.finish();
  return { type: 'disconnect', reasonCode, properties };
}

export function encodeDisconnect(packet: Disconnect, version: ProtocolVersion, output: Writer): void {
  if (version !== 5) return;
  checkDisconnectCode(packet.reasonCode);
  const hasProperties = Object.keys(packet.properties).length > 0;
  if (packet.reasonCode === 0 && !hasProperties) return;
  output.byte(packet.reasonCode);
  if (hasProperties) writeProperties(output, 'disconnect', version, packet.properties);
}

function checkDisconnectCode(code: number): void {
  if (reasonOf('disconnect', code) === undefined) {
    throw protocolError('MQTT-3.14.2-1', `DISCONNECT cannot carry the code ${code}`);
  }
}
