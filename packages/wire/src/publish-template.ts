// Outgoing PUBLISH packets, built once and sent to many (3.3): one buffer of the exact size, with holes for what differs
// from client to client.

import { PACKET_TYPES } from './fixed-header.ts';
import { allocateBriefly } from './host-buffer.ts';
import type { ProtocolVersion, QoS } from './packets/types.ts';
import { PeerError } from './peer-error.ts';
import { PROPERTIES, type Properties } from './properties.ts';
import { writePropertyContent } from './property-codec.ts';
import { VARINT_MAX, varintLength, writeVarint } from './varint.ts';
import { Writer } from './writer.ts';

/** A frame, made to be sent and dropped; each offset is that of a two byte integer which the sender fills in, -1 where there is none. */
export interface PublishTemplate {
  readonly bytes: Uint8Array;
  readonly packetIdAt: number;
  readonly aliasAt: number;
}

export interface OutgoingPublish {
  /** UTF-8. */
  readonly topic: Uint8Array;
  readonly payload: Uint8Array;
  /** Content of an MQTT 5.0 property block without alias, expiry and subscription identifiers. */
  readonly properties: Uint8Array;
  /** Seconds left, -1: none. */
  readonly messageExpiry: number;
}

export interface PublishTemplateOptions {
  readonly version: ProtocolVersion;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0: no alias. 1: introduces one, topic and alias. 2: uses one, alias without topic. Before MQTT 5.0 always as 0. */
  readonly aliasMode: 0 | 1 | 2;
  readonly subscriptionIds: readonly number[];
}

/** Builds the frame; holes hold 0. Throws RangeError if it would be larger than a packet can be. */
export function publishTemplate(message: OutgoingPublish, options: PublishTemplateOptions): PublishTemplate {
  const { topic, payload, properties, messageExpiry } = message;
  const { version, qos, subscriptionIds } = options;
  const aliasMode = version === 5 ? options.aliasMode : 0;
  const topicLength = aliasMode === 2 ? 0 : topic.length;
  if (topicLength > 0xffff) throw new RangeError(`a topic of ${topicLength} bytes cannot be encoded`);

  let propertyLength = 0;
  if (version === 5) {
    propertyLength = properties.length + (aliasMode === 0 ? 0 : 3) + (messageExpiry < 0 ? 0 : 5);
    for (const id of subscriptionIds) propertyLength += 1 + varintLength(id);
  }
  const propertyBytes = version === 5 ? varintLength(propertyLength) + propertyLength : 0;
  const length = 2 + topicLength + (qos === 0 ? 0 : 2) + propertyBytes + payload.length;
  if (length > VARINT_MAX) throw new RangeError(`a PUBLISH of ${length} bytes cannot be encoded`);

  const bytes = allocateBriefly(1 + varintLength(length) + length);
  bytes[0] = (PACKET_TYPES.publish << 4) | (options.dup ? 8 : 0) | (qos << 1) | (options.retain ? 1 : 0);
  let at = writeVarint(bytes, 1, length);
  at = writeUint16(bytes, at, topicLength);
  if (topicLength > 0) bytes.set(topic, at);
  at += topicLength;
  let packetIdAt = -1;
  if (qos !== 0) {
    packetIdAt = at;
    at = writeUint16(bytes, at, 0);
  }
  let aliasAt = -1;
  if (version === 5) {
    at = writeVarint(bytes, at, propertyLength);
    if (aliasMode !== 0) {
      bytes[at] = PROPERTIES.topicAlias.id;
      aliasAt = at + 1;
      at = writeUint16(bytes, aliasAt, 0);
    }
    if (messageExpiry >= 0) {
      bytes[at] = PROPERTIES.messageExpiryInterval.id;
      at = writeUint16(bytes, at + 1, Math.floor(messageExpiry / 0x10000));
      at = writeUint16(bytes, at, messageExpiry % 0x10000);
    }
    for (const id of subscriptionIds) {
      bytes[at] = PROPERTIES.subscriptionIdentifier.id;
      at = writeVarint(bytes, at + 1, id);
    }
    bytes.set(properties, at);
    at += properties.length;
  }
  bytes.set(payload, at);
  return { bytes, packetIdAt, aliasAt };
}

/**
 * The content of a property block for `OutgoingPublish`, from the properties of a will or a message made by the broker;
 * what belongs to one hop or to the will alone is left out. Throws RangeError for a value that cannot be encoded.
 */
export function encodePublishProperties(properties: Properties<'publish'> | Properties<'will'>): Uint8Array {
  const kept = Object.entries(properties).filter(([name]) => !LEFT_OUT.has(name));
  const output = new Writer();
  try {
    writePropertyContent(output, 'publish', Object.fromEntries(kept));
  } catch (error) {
    if (error instanceof PeerError)
      throw new RangeError(`cannot encode properties: ${error.message}`, { cause: error });
    throw error;
  }
  return output.body();
}

function writeUint16(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
  return at + 2;
}

const LEFT_OUT: ReadonlySet<string> = new Set([
  'topicAlias',
  'messageExpiryInterval',
  'subscriptionIdentifier',
  'willDelayInterval',
]);
