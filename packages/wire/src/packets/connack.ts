// CONNACK (3.2).

import type { Cursor } from '../cursor.ts';
import { malformed, protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { readProperties, writeProperties } from '../property-codec.ts';
import { reasonOf } from '../reasons.ts';
import type { Writer } from '../writer.ts';
import type { ProtocolVersion } from './types.ts';

export interface Connack {
  readonly type: 'connack';
  readonly sessionPresent: boolean;
  /** Before MQTT 5.0 the return code, 0 to 5. */
  readonly reasonCode: number;
  readonly properties: Properties<'connack'>;
}

export function decodeConnack(input: Cursor, version: ProtocolVersion): Connack {
  const flags = input.byte();
  // MQTT 3.1 leaves this byte unused (its 3.2).
  if (version !== 3 && flags > 1) throw malformed('MQTT-3.2.2-1', 'reserved bits of the CONNACK flags are set');
  const sessionPresent = version !== 3 && flags === 1;
  const reasonCode = input.byte();
  checkConnackCode(reasonCode, sessionPresent, version);
  const properties = readProperties(input, 'connack', version);
  input.finish();
  return { type: 'connack', sessionPresent, reasonCode, properties };
}

export function encodeConnack(packet: Connack, version: ProtocolVersion, output: Writer): void {
  output.byte(packet.sessionPresent && version !== 3 ? 1 : 0);
  checkConnackCode(packet.reasonCode, packet.sessionPresent, version);
  output.byte(packet.reasonCode);
  writeProperties(output, 'connack', version, packet.properties);
}

function checkConnackCode(code: number, sessionPresent: boolean, version: ProtocolVersion): void {
  if (version === 5 ? reasonOf('connack', code) === undefined : code > RETURN_CODE_MAX) {
    throw protocolError('MQTT-3.2.2-8', `CONNACK cannot carry the code ${code}`);
  }
  // In 3.1.1 [MQTT-3.2.2-4].
  if (sessionPresent && code !== 0) throw protocolError('MQTT-3.2.2-6', 'a refused connection has no session');
}

/** 3.2.2.3 of MQTT 3.1.1: codes 6 to 255 are reserved. */
const RETURN_CODE_MAX = 5;
