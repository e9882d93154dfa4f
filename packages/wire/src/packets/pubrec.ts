// PUBREC (3.5): first answer to a PUBLISH with QoS 2. Its rules are those of ./acknowledgement.ts.

import type { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';
import { type Acknowledgement, readAcknowledgement, writeAcknowledgement } from './acknowledgement.ts';
import type { ProtocolVersion } from './types.ts';

export interface Pubrec extends Acknowledgement<'pubrec'> {}

export function decodePubrec(input: Cursor, version: ProtocolVersion): Pubrec {
  return readAcknowledgement('pubrec', input, version);
}

export function encodePubrec(packet: Pubrec, version: ProtocolVersion, output: Writer): void {
  writeAcknowledgement(packet, version, output);
}
