// UNSUBSCRIBE (3.10). Filters are raw text, as in SUBSCRIBE.

import type { Cursor } from '../cursor.ts';
import { protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { readProperties, writeProperties } from '../property-codec.ts';
import type { Writer } from '../writer.ts';
import { readPacketId, writePacketId } from './packet-id.ts';
import type { ProtocolVersion } from './types.ts';

export interface Unsubscribe {
  readonly type: 'unsubscribe';
  readonly packetId: number;
  /** As received: UTF-8 is checked, the grammar is not. */
  readonly filters: readonly string[];
  readonly properties: Properties<'unsubscribe'>;
}

export function decodeUnsubscribe(input: Cursor, version: ProtocolVersion): Unsubscribe {
  const packetId = readPacketId(input);
  const properties = readProperties(input, 'unsubscribe', version);
  checkAny(input.left);
  const filters: string[] = [];
  while (input.left > 0) filters.push(input.text());
  return { type: 'unsubscribe', packetId, filters, properties };
}

export function encodeUnsubscribe(packet: Unsubscribe, version: ProtocolVersion, output: Writer): void {
  writePacketId(output, packet.packetId);
  writeProperties(output, 'unsubscribe', version, packet.properties);
  checkAny(packet.filters.length);
  for (const filter of packet.filters) output.text(filter);
}

/** [MQTT-3.10.3-2], in both versions. */
function checkAny(count: number): void {
  if (count === 0) throw protocolError('MQTT-3.10.3-2', 'UNSUBSCRIBE names nothing');
}
