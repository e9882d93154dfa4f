// PUBLISH (3.3) as an object. The broker's hot path reads offsets instead: see ../publish-view.ts.

import type { Cursor } from '../cursor.ts';
import { PACKET_TYPES } from '../fixed-header.ts';
import { malformed, protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { readProperties, writeProperties } from '../property-codec.ts';
import { parseTopicName } from '../topics.ts';
import type { Writer } from '../writer.ts';
import { readPacketId, writePacketId } from './packet-id.ts';
import type { ProtocolVersion, QoS } from './types.ts';

export interface Publish {
  readonly type: 'publish';
  /** Empty only where a topic alias stands for it. */
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 with QoS 0. */
  readonly packetId: number;
  readonly payload: Uint8Array;
  readonly properties: Properties<'publish'>;
}

export function decodePublish(input: Cursor, firstByte: number, version: ProtocolVersion): Publish {
  const qos = ((firstByte >> 1) & 3) as QoS;
  const topic = input.text();
  // [MQTT-2.2.1-2]: no packet identifier with QoS 0.
  const packetId = qos === 0 ? 0 : readPacketId(input);
  const properties = readProperties(input, 'publish', version);
  checkTopic(topic, version, properties.topicAlias !== undefined);
  const payload = input.rest();
  return {
    type: 'publish',
    topic,
    qos,
    retain: (firstByte & RETAIN) !== 0,
    dup: (firstByte & DUP) !== 0,
    packetId,
    payload,
    properties,
  };
}

/** Writes the body; gives the first byte, which `encode` checks ([MQTT-3.3.1-2], [MQTT-3.3.1-4]). */
export function encodePublish(packet: Publish, version: ProtocolVersion, output: Writer): number {
  const { qos } = packet;
  checkTopic(packet.topic, version, packet.properties.topicAlias !== undefined);
  output.text(packet.topic);
  if (qos !== 0) writePacketId(output, packet.packetId);
  else if (packet.packetId !== 0) throw new RangeError('PUBLISH with QoS 0 has no packet identifier');
  writeProperties(output, 'publish', version, packet.properties);
  output.raw(packet.payload);
  return (PACKET_TYPES.publish << 4) | (packet.dup ? DUP : 0) | (qos << 1) | (packet.retain ? RETAIN : 0);
}

/** [MQTT-4.7.3-1]: at least one character, unless an alias stands for the topic (3.3.2.1). */
function checkTopic(topic: string, version: ProtocolVersion, hasAlias: boolean): void {
  if (topic !== '') {
    parseTopicName(topic);
    return;
  }
  if (version !== 5) throw malformed('MQTT-4.7.3-1', 'PUBLISH has an empty topic name');
  if (!hasAlias) throw protocolError('3.3.2.1', 'PUBLISH has neither a topic name nor a topic alias');
}

/** Flags (3.3.1). */
const DUP = 0x08;
const RETAIN = 0x01;
