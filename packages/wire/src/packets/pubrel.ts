// PUBREL (3.6): answers PUBREC; its fixed flags are 0010 ([MQTT-3.6.1-1]). Its rules are those of ./acknowledgement.ts.

import type { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';
import { type Acknowledgement, readAcknowledgement, writeAcknowledgement } from './acknowledgement.ts';
import type { ProtocolVersion } from './types.ts';

export interface Pubrel extends Acknowledgement<'pubrel'> {}

export function decodePubrel(input: Cursor, version: ProtocolVersion): Pubrel {
  return readAcknowledgement('pubrel', input, version);
}

export function encodePubrel(packet: Pubrel, version: ProtocolVersion, output: Writer): void {
  writeAcknowledgement(packet, version, output);
}
