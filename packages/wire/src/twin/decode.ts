// The slow twin of the decoder: written from the standard section by section, with nothing of the shipped code, to be read
// beside the standard. It takes bytes off the front of a list and is wrong wherever it differs from the text.

import type { Packet, ProtocolVersion } from '../index.ts';
import { TWIN_CODES, TWIN_PROPERTIES } from './tables.ts';

/** What the twin throws; `reason` is the name of the MQTT 5.0 reason code. */
export class Refusal extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

export function twinDecode(frame: Uint8Array, version: ProtocolVersion): Packet {
  const bytes = new Bytes(Array.from(frame));
  const first = bytes.byte();
  const type = first >> 4;
  const flags = first & 0b1111;
  const remainingLength = bytes.variableByteInteger();
  must(remainingLength === bytes.count, 'malformed-packet');
  checkFlags(type, flags, type === 1 ? 5 : version);
  const packet = readBody(type, flags, version, bytes);
  must(bytes.count === 0, 'malformed-packet');
  return packet as unknown as Packet;
}

/** Table 2-2 and 2.1.3. */
function checkFlags(type: number, flags: number, version: ProtocolVersion): void {
  if (type === 0) throw new Refusal('malformed-packet');
  if (type === 15) must(version === 5 && flags === 0, 'malformed-packet');
  else if (type === 3) {
    const qos = (flags & 0b0110) >> 1;
    must(qos !== 3, 'malformed-packet');
    must(!(flags & 0b1000 && qos === 0), 'malformed-packet');
  } else if (type === 6 || type === 8 || type === 10) {
    must(flags === 0b0010 || (version === 3 && flags === 0b1010), 'malformed-packet');
  } else must(flags === 0, 'malformed-packet');
}

function readBody(type: number, flags: number, version: ProtocolVersion, bytes: Bytes): object {
  switch (type) {
    case 1:
      return connect(bytes);
    case 2:
      return connack(bytes, version);
    case 3:
      return publish(bytes, flags, version);
    case 4:
      return acknowledgement('puback', bytes, version);
    case 5:
      return acknowledgement('pubrec', bytes, version);
    case 6:
      return acknowledgement('pubrel', bytes, version);
    case 7:
      return acknowledgement('pubcomp', bytes, version);
    case 8:
      return subscribe(bytes, version);
    case 9:
      return suback(bytes, version);
    case 10:
      return unsubscribe(bytes, version);
    case 11:
      return unsuback(bytes, version);
    case 12:
      return { type: 'pingreq' };
    case 13:
      return { type: 'pingresp' };
    case 14:
      return disconnect(bytes, version);
    default:
      return auth(bytes);
  }
}

/** 3.1. */
function connect(bytes: Bytes): object {
  const name = bytes.string();
  const level = bytes.byte();
  const known = [`MQIsdp 3`, `MQTT 4`, `MQTT 5`].includes(`${name} ${level}`);
  must(known, 'unsupported-protocol-version');
  const version = level as ProtocolVersion;

  const flags = bytes.byte();
  const userNameFlag = bit(flags, 7);
  const passwordFlag = bit(flags, 6);
  const willRetain = bit(flags, 5);
  const willQoS = (flags & 0b11000) >> 3;
  const willFlag = bit(flags, 2);
  const cleanStart = bit(flags, 1);
  must(!bit(flags, 0), 'malformed-packet');
  must(willQoS !== 3, 'malformed-packet');
  if (!willFlag) must(willQoS === 0 && !willRetain, 'malformed-packet');
  if (version !== 5) must(!passwordFlag || userNameFlag, 'malformed-packet');

  const keepAlive = bytes.twoByteInteger();
  const properties = propertiesOf('connect', bytes, version);
  if ('authenticationData' in properties) must('authenticationMethod' in properties, 'protocol-error');

  const clientId = bytes.string();
  const mayBeEmpty = version === 5 || (version === 4 && cleanStart);
  must(clientId !== '' || mayBeEmpty, 'client-identifier-not-valid');

  const packet: Record<string, unknown> = { type: 'connect', version, cleanStart, keepAlive, clientId, properties };
  if (willFlag) {
    const willProperties = propertiesOf('will', bytes, version);
    const topic = bytes.string();
    topicName(topic);
    const payload = bytes.binary();
    packet['will'] = { topic, payload, qos: willQoS, retain: willRetain, properties: willProperties };
  }
  const mayStop = version === 3;
  if (userNameFlag && !(mayStop && bytes.count === 0)) packet['userName'] = bytes.string();
  if (passwordFlag && !(mayStop && bytes.count === 0)) packet['password'] = bytes.binary();
  return packet;
}

/** 3.2. */
function connack(bytes: Bytes, version: ProtocolVersion): object {
  const flags = bytes.byte();
  if (version !== 3) must(flags === 0 || flags === 1, 'malformed-packet');
  const sessionPresent = version !== 3 && flags === 1;
  const reasonCode = bytes.byte();
  if (version === 5) code('connack', reasonCode);
  else must(reasonCode <= 5, 'protocol-error');
  must(!sessionPresent || reasonCode === 0, 'protocol-error');
  return { type: 'connack', sessionPresent, reasonCode, properties: propertiesOf('connack', bytes, version) };
}

/** 3.3. */
function publish(bytes: Bytes, flags: number, version: ProtocolVersion): object {
  const qos = (flags & 0b0110) >> 1;
  const topic = bytes.string();
  const packetId = qos > 0 ? packetIdentifier(bytes) : 0;
  const properties = propertiesOf('publish', bytes, version);
  if (topic !== '') topicName(topic);
  else if (version !== 5) throw new Refusal('malformed-packet');
  else must('topicAlias' in properties, 'protocol-error');
  const payload = bytes.take(bytes.count);
  return { type: 'publish', topic, qos, retain: bit(flags, 0), dup: bit(flags, 3), packetId, payload, properties };
}

/** 3.4 to 3.7. */
function acknowledgement(type: string, bytes: Bytes, version: ProtocolVersion): object {
  const packetId = packetIdentifier(bytes);
  let reasonCode = 0;
  let properties = {};
  if (version === 5 && bytes.count > 0) {
    reasonCode = bytes.byte();
    code(type, reasonCode);
    if (bytes.count > 0) properties = propertiesOf(type, bytes, version);
  }
  return { type, packetId, reasonCode, properties };
}

/** 3.8. */
function subscribe(bytes: Bytes, version: ProtocolVersion): object {
  const packetId = packetIdentifier(bytes);
  const properties = propertiesOf('subscribe', bytes, version);
  must(bytes.count > 0, 'protocol-error');
  const subscriptions: object[] = [];
  while (bytes.count > 0) {
    const filter = bytes.string();
    const options = bytes.byte();
    const qos = options & 0b11;
    const retainHandling = (options & 0b110000) >> 4;
    if (version === 5) {
      must((options & 0b11000000) === 0, 'malformed-packet');
      must(qos !== 3, 'protocol-error');
      must(retainHandling !== 3, 'protocol-error');
      must(!(bit(options, 2) && filter.startsWith('$share/')), 'protocol-error');
    } else must(options === 0 || options === 1 || options === 2, 'malformed-packet');
    const retainAsPublished = bit(options, 3);
    subscriptions.push({ filter, qos, noLocal: bit(options, 2), retainAsPublished, retainHandling });
  }
  return { type: 'subscribe', packetId, subscriptions, properties };
}

/** 3.9. */
function suback(bytes: Bytes, version: ProtocolVersion): object {
  const packetId = packetIdentifier(bytes);
  const properties = propertiesOf('suback', bytes, version);
  const reasonCodes = [...bytes.take(bytes.count)];
  must(reasonCodes.length > 0, 'protocol-error');
  for (const each of reasonCodes) {
    if (version === 5) code('suback', each);
    else must([0, 1, 2, 0x80].includes(each), 'protocol-error');
  }
  return { type: 'suback', packetId, reasonCodes, properties };
}

/** 3.10. */
function unsubscribe(bytes: Bytes, version: ProtocolVersion): object {
  const packetId = packetIdentifier(bytes);
  const properties = propertiesOf('unsubscribe', bytes, version);
  must(bytes.count > 0, 'protocol-error');
  const filters: string[] = [];
  while (bytes.count > 0) filters.push(bytes.string());
  return { type: 'unsubscribe', packetId, filters, properties };
}

/** 3.11. */
function unsuback(bytes: Bytes, version: ProtocolVersion): object {
  const packetId = packetIdentifier(bytes);
  if (version !== 5) return { type: 'unsuback', packetId, reasonCodes: [], properties: {} };
  const properties = propertiesOf('unsuback', bytes, version);
  const reasonCodes = [...bytes.take(bytes.count)];
  must(reasonCodes.length > 0, 'protocol-error');
  for (const each of reasonCodes) code('unsuback', each);
  return { type: 'unsuback', packetId, reasonCodes, properties };
}

/** 3.14. */
function disconnect(bytes: Bytes, version: ProtocolVersion): object {
  if (version !== 5 || bytes.count === 0) return { type: 'disconnect', reasonCode: 0, properties: {} };
  const reasonCode = bytes.byte();
  code('disconnect', reasonCode);
  const properties = bytes.count > 0 ? propertiesOf('disconnect', bytes, version) : {};
  return { type: 'disconnect', reasonCode, properties };
}

/** 3.15. */
function auth(bytes: Bytes): object {
  if (bytes.count === 0) return { type: 'auth', reasonCode: 0, properties: {} };
  const reasonCode = bytes.byte();
  code('auth', reasonCode);
  const properties = propertiesOf('auth', bytes, 5);
  const bare = reasonCode === 0 && Object.keys(properties).length === 0;
  must('authenticationMethod' in properties || bare, 'protocol-error');
  return { type: 'auth', reasonCode, properties };
}

/** 2.2.2. */
function propertiesOf(carrier: string, bytes: Bytes, version: ProtocolVersion): object {
  if (version !== 5) return {};
  const length = bytes.variableByteInteger();
  const block = new Bytes([...bytes.take(length)]);
  const properties: Record<string, unknown> = {};
  while (block.count > 0) {
    const id = block.variableByteInteger();
    const property = TWIN_PROPERTIES.find((each) => each.id === id && each.packets.includes(carrier));
    if (property === undefined) throw new Refusal('malformed-packet');
    const { name, type } = property;
    const value = block.valueOf(type);
    const isList = name === 'userProperty' || name === 'subscriptionIdentifier';
    const mayRepeat = name === 'userProperty' || (name === 'subscriptionIdentifier' && carrier === 'publish');
    must(mayRepeat || !(name in properties), 'protocol-error');
    propertyValue(name, value);
    if (isList) properties[name] = [...((properties[name] as unknown[] | undefined) ?? []), value];
    else properties[name] = value;
  }
  return properties;
}

/** What the sections of the properties say of their values. */
function propertyValue(name: string, value: unknown): void {
  const isFlag = /^(payloadFormatIndicator|request.*Information|maximumQoS|.*Available)$/.test(name);
  if (isFlag) must(value === 0 || value === 1, 'protocol-error');
  const isPositive = /^(receiveMaximum|maximumPacketSize|subscriptionIdentifier)$/.test(name);
  if (isPositive) must(value !== 0, 'protocol-error');
  if (name === 'topicAlias') must(value !== 0, 'topic-alias-invalid');
  if (name === 'responseTopic') must(/^[^#+]+$/su.test(value as string), 'protocol-error');
}

/** 4.7.1, 4.7.3. */
function topicName(topic: string): void {
  must(topic !== '' && !/[#+]/.test(topic), 'topic-name-invalid');
}

function packetIdentifier(bytes: Bytes): number {
  const id = bytes.twoByteInteger();
  must(id !== 0, 'protocol-error');
  return id;
}

function code(packet: string, value: number): void {
  must(TWIN_CODES[packet]?.includes(value) === true, 'protocol-error');
}

function bit(byte: number, position: number): boolean {
  return ((byte >> position) & 1) === 1;
}

function must(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Refusal(reason);
}

/** The data types of 1.5, taken off the front. */
class Bytes {
  #left: number[];
  constructor(bytes: number[]) {
    this.#left = bytes;
  }

  get count(): number {
    return this.#left.length;
  }

  take(count: number): Uint8Array {
    must(count <= this.#left.length, 'malformed-packet');
    const taken = this.#left.slice(0, count);
    this.#left = this.#left.slice(count);
    return Uint8Array.from(taken);
  }

  byte(): number {
    return this.take(1)[0] as number;
  }

  twoByteInteger(): number {
    return this.byte() * 256 + this.byte();
  }

  fourByteInteger(): number {
    return this.twoByteInteger() * 65536 + this.twoByteInteger();
  }

  /** 1.5.5, the algorithm of its comment; a longer form than needed is refused. */
  variableByteInteger(): number {
    let multiplier = 1;
    let value = 0;
    for (let count = 1; ; count++) {
      const encoded = this.byte();
      value += (encoded % 128) * multiplier;
      multiplier *= 128;
      if (encoded < 128) {
        must(count === 1 || encoded !== 0, 'malformed-packet');
        return value;
      }
      must(count < 4, 'malformed-packet');
    }
  }

  binary(): Uint8Array {
    return this.take(this.twoByteInteger());
  }

  /** 1.5.4 and 5.4.9. */
  string(): string {
    const bytes = this.binary();
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Refusal('malformed-packet');
    }
    must(!/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(text), 'malformed-packet');
    return text;
  }

  valueOf(type: string): unknown {
    switch (type) {
      case 'byte':
        return this.byte();
      case 'uint16':
        return this.twoByteInteger();
      case 'uint32':
        return this.fourByteInteger();
      case 'varint':
        return this.variableByteInteger();
      case 'string':
        return this.string();
      case 'binary':
        return this.binary();
      default:
        return [this.string(), this.string()];
    }
  }
}
