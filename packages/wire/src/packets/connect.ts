// CONNECT (3.1): the only packet that says its own version. What needs a session or a policy is the broker's to check.

import type { Cursor } from '../cursor.ts';
import { malformed, PeerError, protocolError } from '../peer-error.ts';
import type { Properties } from '../properties.ts';
import { readProperties, writeProperties } from '../property-codec.ts';
import { parseTopicName } from '../topics.ts';
import type { Writer } from '../writer.ts';
import type { ProtocolVersion, QoS, TopicName } from './types.ts';

export interface Will {
  readonly topic: TopicName;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties<'will'>;
}

export interface Connect {
  readonly type: 'connect';
  readonly version: ProtocolVersion;
  /** Clean Session before MQTT 5.0. */
  readonly cleanStart: boolean;
  /** Seconds; 0 turns the mechanism off. */
  readonly keepAlive: number;
  /** Empty where the server is to choose one. */
  readonly clientId: string;
  readonly will?: Will | undefined;
  readonly userName?: string | undefined;
  readonly password?: Uint8Array | undefined;
  readonly properties: Properties<'connect'>;
}

export function decodeConnect(input: Cursor): Connect {
  const version = readVersion(input);
  const flags = input.byte();
  checkConnectFlags(flags, version);
  const keepAlive = input.uint16();
  const properties = readProperties(input, 'connect', version);
  checkAuthentication(properties);
  const clientId = input.text();
  checkClientId(clientId, version, (flags & CLEAN_START) !== 0);
  const will = flags & WILL ? readWill(input, flags, version) : undefined;
  const userName = flags & USER_NAME && !isLeftOut(input, version) ? input.text() : undefined;
  const password = flags & PASSWORD && !isLeftOut(input, version) ? input.binary() : undefined;
  input.finish();
  return {
    type: 'connect',
    version,
    cleanStart: (flags & CLEAN_START) !== 0,
    keepAlive,
    clientId,
    will,
    userName,
    password,
    properties,
  };
}

export function encodeConnect(packet: Connect, output: Writer): void {
  const { version, will, userName, password } = packet;
  output.text(version === 3 ? 'MQIsdp' : 'MQTT');
  output.byte(version);
  let flags = packet.cleanStart ? CLEAN_START : 0;
  if (will !== undefined) flags |= WILL | (will.qos << WILL_QOS_SHIFT) | (will.retain ? WILL_RETAIN : 0);
  if (userName !== undefined) flags |= USER_NAME;
  if (password !== undefined) flags |= PASSWORD;
  checkConnectFlags(flags, version);
  output.byte(flags);
  output.uint16(packet.keepAlive);
  checkAuthentication(packet.properties);
  writeProperties(output, 'connect', version, packet.properties);
  checkClientId(packet.clientId, version, packet.cleanStart);
  output.text(packet.clientId);
  if (will !== undefined) {
    writeProperties(output, 'will', version, will.properties);
    output.text(parseTopicName(will.topic));
    output.binary(will.payload);
  }
  if (userName !== undefined) output.text(userName);
  if (password !== undefined) output.binary(password);
}

/** [MQTT-3.1.2-1], [MQTT-3.1.2-2]: name and level belong together; anything else is another protocol or version. */
function readVersion(input: Cursor): ProtocolVersion {
  const name = input.text();
  const level = input.byte();
  if (name === 'MQTT' && (level === 4 || level === 5)) return level;
  if (name === 'MQIsdp' && level === 3) return level;
  if (name !== 'MQTT' && name !== 'MQIsdp') {
    throw new PeerError('unsupported-protocol-version', 'MQTT-3.1.2-1', 'the protocol name is not MQTT');
  }
  throw new PeerError('unsupported-protocol-version', 'MQTT-3.1.2-2', `${name} has no protocol level ${level}`);
}

function checkConnectFlags(flags: number, version: ProtocolVersion): void {
  if (flags & RESERVED) throw malformed('MQTT-3.1.2-3', 'the reserved connect flag is set');
  const willQoS = (flags >> WILL_QOS_SHIFT) & 3;
  if (willQoS === 3) throw malformed('MQTT-3.1.2-12', 'the will has QoS 3');
  if (!(flags & WILL)) {
    // In 3.1.1 [MQTT-3.1.2-13] and [MQTT-3.1.2-15].
    if (willQoS !== 0) throw malformed('MQTT-3.1.2-11', 'there is a will QoS without a will');
    if (flags & WILL_RETAIN) throw malformed('MQTT-3.1.2-13', 'there is a will retain flag without a will');
  }
  // [MQTT-3.1.2-22] of 3.1.1; MQTT 5.0 lifted it.
  if (version !== 5 && flags & PASSWORD && !(flags & USER_NAME)) {
    throw malformed('MQTT-3.1.2-22', 'there is a password without a user name');
  }
}

function checkAuthentication(properties: Properties<'connect'>): void {
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw protocolError('3.1.2.11.10', 'there is authentication data without an authentication method');
  }
}

/** [MQTT-3.1.3-7] and [MQTT-3.1.3-8] of 3.1.1; MQTT 3.1 has no empty identifier at all, MQTT 5.0 always ([MQTT-3.1.3-6]). */
function checkClientId(clientId: string, version: ProtocolVersion, cleanStart: boolean): void {
  if (clientId !== '' || version === 5 || (version === 4 && cleanStart)) return;
  throw new PeerError(
    'client-identifier-not-valid',
    'MQTT-3.1.3-8',
    'an empty client identifier needs a clean session',
  );
}

function readWill(input: Cursor, flags: number, version: ProtocolVersion): Will {
  const properties = readProperties(input, 'will', version);
  const topic = parseTopicName(input.text());
  const payload = input.binary();
  return {
    topic,
    payload,
    qos: ((flags >> WILL_QOS_SHIFT) & 3) as QoS,
    retain: (flags & WILL_RETAIN) !== 0,
    properties,
  };
}

/** MQTT 3.1 (its 3.1) lets a packet end before the user name or password that its flags announce. */
function isLeftOut(input: Cursor, version: ProtocolVersion): boolean {
  return version === 3 && input.left === 0;
}

/** Connect flags (3.1.2.3). */
const RESERVED = 0x01;
const CLEAN_START = 0x02;
const WILL = 0x04;
const WILL_QOS_SHIFT = 3;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USER_NAME = 0x80;
