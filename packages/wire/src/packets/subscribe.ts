// SUBSCRIBE (3.8). Each filter is left as raw text: its grammar is checked by `parseTopicFilter`, so that SUBACK can refuse one alone.

import type { Cursor } from '../cursor.ts';
import { malformed, protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { readProperties, writeProperties } from '../property-codec.ts';
import type { Writer } from '../writer.ts';
import { readPacketId, writePacketId } from './packet-id.ts';
import type { ProtocolVersion, QoS } from './types.ts';

export interface SubscriptionRequest {
  /** As received: UTF-8 is checked, the grammar is not. */
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
}

export interface Subscribe {
  readonly type: 'subscribe';
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: Properties<'subscribe'>;
}

export function decodeSubscribe(input: Cursor, version: ProtocolVersion): Subscribe {
  const packetId = readPacketId(input);
  const properties = readProperties(input, 'subscribe', version);
  const subscriptions: SubscriptionRequest[] = [];
  checkAny(input.left);
  while (input.left > 0) {
    const filter = input.text();
    const options = input.byte();
    checkOptions(options, filter, version);
    subscriptions.push({
      filter,
      qos: (options & 3) as QoS,
      noLocal: (options & NO_LOCAL) !== 0,
      retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
      retainHandling: ((options >> RETAIN_HANDLING_SHIFT) & 3) as 0 | 1 | 2,
    });
  }
  return { type: 'subscribe', packetId, subscriptions, properties };
}

export function encodeSubscribe(packet: Subscribe, version: ProtocolVersion, output: Writer): void {
  writePacketId(output, packet.packetId);
  writeProperties(output, 'subscribe', version, packet.properties);
  checkAny(packet.subscriptions.length);
  for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of packet.subscriptions) {
    const options =
      qos |
      (noLocal ? NO_LOCAL : 0) |
      (retainAsPublished ? RETAIN_AS_PUBLISHED : 0) |
      (retainHandling << RETAIN_HANDLING_SHIFT);
    checkOptions(options, filter, version);
    output.text(filter);
    output.byte(options);
  }
}

/** [MQTT-3.8.3-2]; in 3.1.1 [MQTT-3.8.3-3]. */
function checkAny(count: number): void {
  if (count === 0) throw protocolError('MQTT-3.8.3-2', 'SUBSCRIBE asks for nothing');
}

function checkOptions(options: number, filter: string, version: ProtocolVersion): void {
  if (version !== 5) {
    if (options > 2) throw malformed('MQTT-3-8.3-4', 'the requested QoS byte is not 0, 1 or 2');
    return;
  }
  if (options & RESERVED) throw malformed('MQTT-3.8.3-5', 'reserved bits of the subscription options are set');
  if ((options & 3) === 3) throw protocolError('3.8.3.1', 'a subscription asks for QoS 3');
  if (options >> RETAIN_HANDLING_SHIFT === 3) throw protocolError('3.8.3.1', 'a subscription has retain handling 3');
  if (options & NO_LOCAL && filter.startsWith('$share/')) {
    throw protocolError('MQTT-3.8.3-4', 'no local is set on a shared subscription');
  }
}

/** Subscription options (3.8.3.1). */
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RETAIN_HANDLING_SHIFT = 4;
const RESERVED = 0xc0;
