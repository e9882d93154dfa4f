// AUTH (3.15): MQTT 5.0 alone has it.

import type { Cursor } from '../cursor.ts';
import { protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { NO_PROPERTIES, readProperties, writeProperties } from '../property-codec.ts';
import { reasonOf } from '../reasons.ts';
import type { Writer } from '../writer.ts';

export interface Auth {
  readonly type: 'auth';
  readonly reasonCode: number;
  readonly properties: Properties<'auth'>;
}

export function decodeAuth(input: Cursor): Auth {
  // Both may be left out together, for success without properties (3.15.2.1).
  if (input.left === 0) return { type: 'auth', reasonCode: 0, properties: NO_PROPERTIES };
  const reasonCode = input.byte();
  checkAuthCode(reasonCode);
  const properties = readProperties(input, 'auth', 5);
  checkMethod(reasonCode, properties);
  input.finish();
  return { type: 'auth', reasonCode, properties };
}

export function encodeAuth(packet: Auth, output: Writer): void {
  checkAuthCode(packet.reasonCode);
  checkMethod(packet.reasonCode, packet.properties);
  if (packet.reasonCode === 0 && Object.keys(packet.properties).length === 0) return;
  output.byte(packet.reasonCode);
  writeProperties(output, 'auth', 5, packet.properties);
}

function checkAuthCode(code: number): void {
  if (reasonOf('auth', code) === undefined) throw protocolError('MQTT-3.15.2-1', `AUTH cannot carry the code ${code}`);
}

/** 3.15.2.2.2: the method may be missing only where there is nothing at all. */
function checkMethod(code: number, properties: Properties<'auth'>): void {
  if (properties.authenticationMethod !== undefined) return;
  if (code !== 0 || Object.keys(properties).length > 0) {
    throw protocolError('3.15.2.2.2', 'AUTH names no authentication method');
  }
}
