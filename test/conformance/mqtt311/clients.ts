// Clients of MQTT 3.1.1 as these tests connect them.

import type { Packet } from '@motte/wire';
import { type ConnectFields, joined, type RawClient, type TestBroker, text, uint16 } from '../../harness/index.ts';

/** Clean session 0: the session outlives its connection. */
export const KEPT = { version: 4, cleanStart: false } as const;

/** A client of MQTT 3.1.1 that was accepted; clean session unless given. */
export function connect(broker: TestBroker, clientId: string, fields: ConnectFields = {}): Promise<RawClient> {
  return broker.connect(clientId, { version: 4, ...fields });
}

/** Name, level 4, flags, keep alive 0. */
export function connectHeader4(flags: number, keepAlive = 0): Uint8Array {
  return joined([text('MQTT'), 4, flags, uint16(keepAlive)]);
}

/** What was published among packets, as text. */
export function payloadsOf(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => (packet.type === 'publish' ? [new TextDecoder().decode(packet.payload)] : []));
}
