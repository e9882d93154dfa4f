// PUBLISH (3.3) as offsets into the received buffer: the broker's hot path, free of allocation. It checks what `decode` checks,
// in the same order, but for the characters of the topic, which `TopicCache.parse` checks once per topic.

import { checkFlags } from './fixed-header.ts';
import { allocate } from './host-buffer.ts';
import { zeroPacketId } from './packets/packet-id.ts';
import type { ProtocolVersion, QoS } from './packets/types.ts';
import { malformed, PeerError, protocolError } from './peer-error.ts';
import { PROPERTIES } from './properties.ts';
import { checkText } from './text.ts';

/** One PUBLISH, reused for every message of a connection or broker; offsets are into the buffer it was read from. */
export class PublishView {
  qos: QoS = 0;
  retain = false;
  dup = false;
  /** 0 with QoS 0. */
  packetId = 0;
  topicStart = 0;
  topicEnd = 0;
  /** The property block without its length; empty before MQTT 5.0. */
  propertiesStart = 0;
  propertiesEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** 0: none. */
  topicAlias = 0;
  /** Seconds, -1: none. */
  messageExpiry = -1;
  /** Offset of the property's identifier byte, -1: none. */
  expiryStart = -1;
  aliasStart = -1;
  payloadFormat: 0 | 1 = 0;
  /** How many subscription identifiers came along: from a client there must be none ([MQTT-3.3.4-6]). */
  subscriptionIdentifiers = 0;
}

/** Fills `view` from the frame. Throws PeerError. */
export function readPublish(
  buffer: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  view: PublishView,
): void {
  const firstByte = buffer[start] as number;
  checkFlags(firstByte, version);
  const qos = (firstByte >> 1) & 3;
  view.qos = qos as QoS;
  view.retain = (firstByte & 1) !== 0;
  view.dup = (firstByte & 8) !== 0;
  view.topicAlias = 0;
  view.messageExpiry = -1;
  view.expiryStart = -1;
  view.aliasStart = -1;
  view.payloadFormat = 0;
  view.subscriptionIdentifiers = 0;

  let at = bodyStart + 2;
  if (at > end) throw endsInside('1.5.2');
  const topicEnd = at + uint16(buffer, bodyStart);
  if (topicEnd > end) throw endsInside('1.5.4');
  view.topicStart = at;
  view.topicEnd = topicEnd;
  at = topicEnd;
  if (qos === 0) {
    view.packetId = 0;
  } else {
    if (at + 2 > end) throw endsInside('1.5.2');
    view.packetId = uint16(buffer, at);
    if (view.packetId === 0) throw zeroPacketId();
    at += 2;
  }
  view.propertiesStart = at;
  if (version === 5) {
    // One byte and 0 is by far the most common property length.
    if (at < end && buffer[at] === 0) view.propertiesStart = at += 1;
    else at = readPropertyBlock(buffer, at, end, view);
  }
  view.propertiesEnd = at;
  view.payloadStart = at;
  view.payloadEnd = end;
  if (view.topicStart === topicEnd && view.topicAlias === 0) {
    if (version !== 5) throw malformed('MQTT-4.7.3-1', 'PUBLISH has an empty topic name');
    throw protocolError('3.3.2.1', 'PUBLISH has neither a topic name nor a topic alias');
  }
}

/** The properties that travel on with the message: all but alias and expiry. A view of `buffer` where neither is there. */
export function forwardableProperties(buffer: Uint8Array, view: PublishView): Uint8Array {
  const { propertiesStart, propertiesEnd, aliasStart, expiryStart } = view;
  if (aliasStart === -1 && expiryStart === -1) return buffer.subarray(propertiesStart, propertiesEnd);
  const dropped = (aliasStart === -1 ? 0 : ALIAS_BYTES) + (expiryStart === -1 ? 0 : EXPIRY_BYTES);
  const copy = allocate(propertiesEnd - propertiesStart - dropped);
  let to = 0;
  for (let at = propertiesStart; at < propertiesEnd; ) {
    if (at === aliasStart) at += ALIAS_BYTES;
    else if (at === expiryStart) at += EXPIRY_BYTES;
    else copy[to++] = buffer[at++] as number;
  }
  return copy;
}

/** Reads length and content of the block at `start`; gives the offset behind it. */
function readPropertyBlock(buffer: Uint8Array, start: number, packetEnd: number, view: PublishView): number {
  let at = skipVarint(buffer, start, packetEnd);
  const end = at + varintBefore(buffer, start, at);
  if (end > packetEnd) throw malformed('2.2.2.1', 'the properties are longer than the packet');
  view.propertiesStart = at;
  let seen = 0;
  while (at < end) {
    const idStart = at;
    at = skipVarint(buffer, at, end);
    const id = at === idStart + 1 ? (buffer[idStart] as number) : -1;
    switch (id) {
      case PAYLOAD_FORMAT: {
        if (at + 1 > end) throw endsInside('1.5.1');
        const format = buffer[at] as number;
        at += 1;
        seen = once(seen, SEEN_FORMAT);
        if (format > 1) throw protocolError('3.3.2.3.2', 'payloadFormatIndicator is neither 0 nor 1');
        view.payloadFormat = format as 0 | 1;
        break;
      }
      case MESSAGE_EXPIRY:
        if (at + 4 > end) throw endsInside('1.5.3');
        view.messageExpiry = uint16(buffer, at) * 0x10000 + uint16(buffer, at + 2);
        view.expiryStart = idStart;
        at += 4;
        seen = once(seen, SEEN_EXPIRY);
        break;
      case TOPIC_ALIAS:
        if (at + 2 > end) throw endsInside('1.5.2');
        view.topicAlias = uint16(buffer, at);
        view.aliasStart = idStart;
        at += 2;
        seen = once(seen, SEEN_ALIAS);
        if (view.topicAlias === 0) throw new PeerError('topic-alias-invalid', 'MQTT-3.3.2-8', 'topicAlias is 0');
        break;
      case CONTENT_TYPE:
        at = skipText(buffer, at, end);
        seen = once(seen, SEEN_CONTENT_TYPE);
        break;
      case RESPONSE_TOPIC: {
        const textStart = at + 2;
        at = skipText(buffer, at, end);
        seen = once(seen, SEEN_RESPONSE_TOPIC);
        checkResponseTopicBytes(buffer, textStart, at);
        break;
      }
      case CORRELATION_DATA:
        at = skipBinary(buffer, at, end);
        seen = once(seen, SEEN_CORRELATION_DATA);
        break;
      case SUBSCRIPTION_IDENTIFIER: {
        const valueStart = at;
        at = skipVarint(buffer, at, end);
        if (buffer[valueStart] === 0) throw protocolError('3.8.2.1.2', 'subscriptionIdentifier is 0');
        view.subscriptionIdentifiers += 1;
        break;
      }
      case USER_PROPERTY:
        at = skipText(buffer, skipText(buffer, at, end), end);
        break;
      default:
        throw malformed('2.2.2.2', 'PUBLISH has a property that it cannot have');
    }
  }
  return end;
}

function uint16(buffer: Uint8Array, at: number): number {
  return ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
}

/** The offset behind a variable byte integer, whose form it checks (1.5.5). */
function skipVarint(buffer: Uint8Array, start: number, end: number): number {
  for (let size = 1; size <= 4; size++) {
    const at = start + size - 1;
    if (at >= end) throw endsInside('1.5.5');
    const byte = buffer[at] as number;
    if (byte >= 0x80) continue;
    if (byte === 0 && size > 1)
      throw malformed('MQTT-1.5.5-1', 'a variable byte integer takes more bytes than it needs');
    return at + 1;
  }
  throw malformed('1.5.5', 'a variable byte integer takes more than four bytes');
}

/** The value of a checked variable byte integer that lies in [start, end). */
function varintBefore(buffer: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = end - 1; at >= start; at--) value = (value << 7) | ((buffer[at] as number) & 0x7f);
  return value;
}

function skipText(buffer: Uint8Array, start: number, end: number): number {
  if (start + 2 > end) throw endsInside('1.5.2');
  const textEnd = start + 2 + uint16(buffer, start);
  if (textEnd > end) throw endsInside('1.5.4');
  checkText(buffer, start + 2, textEnd);
  return textEnd;
}

function skipBinary(buffer: Uint8Array, start: number, end: number): number {
  if (start + 2 > end) throw endsInside('1.5.2');
  const dataEnd = start + 2 + uint16(buffer, start);
  if (dataEnd > end) throw endsInside('1.5.6');
  return dataEnd;
}

/** The rules of `checkResponseTopic`, on bytes. */
function checkResponseTopicBytes(buffer: Uint8Array, start: number, end: number): void {
  if (start === end) throw protocolError('MQTT-4.7.3-1', 'the response topic is empty');
  for (let at = start; at < end; at++) {
    const byte = buffer[at] as number;
    if (byte === 0x23 || byte === 0x2b) throw protocolError('MQTT-3.3.2-14', 'the response topic holds a wildcard');
  }
}

function once(seen: number, bit: number): number {
  if (seen & bit) throw protocolError('2.2.2.2', 'a property comes more than once');
  return seen | bit;
}

function endsInside(rule: string): PeerError {
  return malformed(rule, 'PUBLISH ends inside one of its parts');
}

const PAYLOAD_FORMAT = PROPERTIES.payloadFormatIndicator.id;
const MESSAGE_EXPIRY = PROPERTIES.messageExpiryInterval.id;
const CONTENT_TYPE = PROPERTIES.contentType.id;
const RESPONSE_TOPIC = PROPERTIES.responseTopic.id;
const CORRELATION_DATA = PROPERTIES.correlationData.id;
const SUBSCRIPTION_IDENTIFIER = PROPERTIES.subscriptionIdentifier.id;
const TOPIC_ALIAS = PROPERTIES.topicAlias.id;
const USER_PROPERTY = PROPERTIES.userProperty.id;

const SEEN_FORMAT = 1;
const SEEN_EXPIRY = 2;
const SEEN_ALIAS = 4;
const SEEN_CONTENT_TYPE = 8;
const SEEN_RESPONSE_TOPIC = 16;
const SEEN_CORRELATION_DATA = 32;

/** An identifier byte and its value. */
const ALIAS_BYTES = 3;
const EXPIRY_BYTES = 5;
