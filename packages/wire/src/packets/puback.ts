// PUBACK (3.4): acknowledges a PUBLISH with QoS 1. Its rules are those of ./acknowledgement.ts.

import type { Cursor } from '../cursor.ts';
import type { Writer } from '../writer.ts';
import { type Acknowledgement, readAcknowledgement, writeAcknowledgement } from './acknowledgement.ts';
import type { ProtocolVersion } from './types.ts';

export interface Puback extends Acknowledgement<'puback'> {}

export function decodePuback(input: Cursor, version: ProtocolVersion): Puback {
  return readAcknowledgement('puback', input, version);
}

export function encodePuback(packet: Puback, version: ProtocolVersion, output: Writer): void {
  writeAcknowledgement(packet, version, output);
}
