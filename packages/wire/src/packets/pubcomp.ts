// PUBCOMP (3.7): ends a QoS 2 exchange. Its rules are those of ./acknowledgement.ts.

import type { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';
import { type Acknowledgement, readAcknowledgement, writeAcknowledgement } from './acknowledgement.ts';
import type { ProtocolVersion } from './types.ts';

export interface Pubcomp extends Acknowledgement<'pubcomp'> {}

export function decodePubcomp(input: Cursor, version: ProtocolVersion): Pubcomp {
  return readAcknowledgement('pubcomp', input, version);
}

export function encodePubcomp(packet: Pubcomp, version: ProtocolVersion, output: Writer): void {
  writeAcknowledgement(packet, version, output);
}
