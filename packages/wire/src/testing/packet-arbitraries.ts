// Random packets that the standard allows, for property tests: every type, every version, every property.

import fc from 'fast-check';
import { type Packet, PROPERTIES, type PropertyCarrier, type ProtocolVersion, REASONS } from '../index.ts';

export interface VersionedPacket {
  readonly version: ProtocolVersion;
  readonly packet: Packet;
}

/** A packet together with the version it is to be encoded for. */
export function versionedPackets(): fc.Arbitrary<VersionedPacket> {
  return fc
    .constantFrom<ProtocolVersion>(3, 4, 5)
    .chain((version) => packetsOf(version).map((packet) => ({ version, packet: packet as Packet })));
}

function packetsOf(version: ProtocolVersion): fc.Arbitrary<object> {
  const all = [
    connects(version),
    connacks(version),
    publishes(version),
    ...(['puback', 'pubrec', 'pubrel', 'pubcomp'] as const).map((type) =>
      fc.record({
        type: fc.constant(type),
        packetId,
        reasonCode: version === 5 ? codes(type) : fc.constant(0),
        properties: properties(type, version),
      }),
    ),
    fc.record({
      type: fc.constant('subscribe'),
      packetId,
      subscriptions: fc.array(subscriptions(version), { minLength: 1, maxLength: 4 }),
      properties: properties('subscribe', version),
    }),
    fc.record({
      type: fc.constant('suback'),
      packetId,
      reasonCodes: fc.array(version === 5 ? codes('suback') : fc.constantFrom(0, 1, 2, 0x80), { minLength: 1 }),
      properties: properties('suback', version),
    }),
    fc.record({
      type: fc.constant('unsubscribe'),
      packetId,
      filters: fc.array(texts, { minLength: 1, maxLength: 4 }),
      properties: properties('unsubscribe', version),
    }),
    fc.record({
      type: fc.constant('unsuback'),
      packetId,
      reasonCodes: version === 5 ? fc.array(codes('unsuback'), { minLength: 1 }) : fc.constant([]),
      properties: properties('unsuback', version),
    }),
    fc.constantFrom({ type: 'pingreq' }, { type: 'pingresp' }),
    fc.record({
      type: fc.constant('disconnect'),
      reasonCode: version === 5 ? codes('disconnect') : fc.constant(0),
      properties: properties('disconnect', version),
    }),
  ];
  if (version === 5) {
    const method = fc.record({ authenticationMethod: texts });
    const others = fc.tuple(properties('auth', 5), method).map(([some, more]) => ({ ...some, ...more }));
    all.push(fc.record({ type: fc.constant('auth'), reasonCode: codes('auth'), properties: others }));
  }
  return fc.oneof(...all);
}

function connects(version: ProtocolVersion): fc.Arbitrary<object> {
  const will = fc.record({
    topic: topicNames,
    payload: binaries,
    qos,
    retain: fc.boolean(),
    properties: properties('will', version),
  });
  return fc
    .record(
      {
        type: fc.constant('connect'),
        version: fc.constant(version),
        cleanStart: fc.boolean(),
        keepAlive: fc.nat(0xffff),
        clientId: texts,
        will,
        userName: texts,
        password: binaries,
        properties: properties('connect', version),
      },
      { requiredKeys: ['type', 'version', 'cleanStart', 'keepAlive', 'clientId', 'properties'] },
    )
    .map((packet) => {
      const { authenticationMethod: method, ...others } = packet.properties as Record<string, unknown>;
      const complete = 'authenticationData' in others ? { authenticationMethod: method ?? 'm', ...others } : undefined;
      const clientId = packet.clientId === '' && (version === 3 || !packet.cleanStart) ? 'c' : packet.clientId;
      const { password, ...rest } = packet;
      const mayHavePassword = password !== undefined && (version === 5 || packet.userName !== undefined);
      return {
        ...rest,
        ...(mayHavePassword ? { password } : {}),
        clientId: version === 5 ? packet.clientId : clientId,
        properties: complete ?? packet.properties,
      };
    });
}

function connacks(version: ProtocolVersion): fc.Arbitrary<object> {
  return fc
    .record({
      type: fc.constant('connack'),
      sessionPresent: fc.boolean(),
      reasonCode: version === 5 ? codes('connack') : fc.nat(5),
      properties: properties('connack', version),
    })
    .map((packet) => ({
      ...packet,
      sessionPresent: packet.sessionPresent && packet.reasonCode === 0 && version !== 3,
    }));
}

function publishes(version: ProtocolVersion): fc.Arbitrary<object> {
  return fc
    .record({
      type: fc.constant('publish'),
      topic: fc.oneof(topicNames, fc.constant('')),
      qos,
      retain: fc.boolean(),
      dup: fc.boolean(),
      packetId,
      payload: fc.uint8Array({ maxLength: 300 }),
      properties: properties('publish', version),
    })
    .map((packet) => ({
      ...packet,
      topic: packet.topic === '' && !('topicAlias' in packet.properties) ? 't' : packet.topic,
      dup: packet.dup && packet.qos > 0,
      packetId: packet.qos > 0 ? packet.packetId : 0,
    }));
}

function subscriptions(version: ProtocolVersion): fc.Arbitrary<object> {
  const off = fc.constant(false);
  return fc
    .record({
      filter: fc.oneof(texts, fc.constantFrom('a/#', '+/b', '$share/g/a')),
      qos,
      noLocal: version === 5 ? fc.boolean() : off,
      retainAsPublished: version === 5 ? fc.boolean() : off,
      retainHandling: version === 5 ? fc.constantFrom(0, 1, 2) : fc.constant(0),
    })
    .map((request) => ({ ...request, noLocal: request.noLocal && !request.filter.startsWith('$share/') }));
}

/** Any subset of what the table allows there, in any order. */
function properties(carrier: PropertyCarrier, version: ProtocolVersion): fc.Arbitrary<object> {
  if (version !== 5) return fc.constant({});
  const rows = Object.entries(PROPERTIES).filter(([, row]) => (row.packets as readonly string[]).includes(carrier));
  return fc.subarray(rows).chain((some) => {
    return fc.shuffledSubarray(some, { minLength: some.length }).chain((ordered) => {
      const values = ordered.map(([name, row]) => {
        const one = propertyValues(name, row.type);
        if (!('repeats' in row)) return one;
        const max = name === 'subscriptionIdentifier' && carrier === 'subscribe' ? 1 : 3;
        return fc.array(one, { minLength: 1, maxLength: max });
      });
      return fc.tuple(...values).map((list) => Object.fromEntries(ordered.map(([name], i) => [name, list[i]])));
    });
  });
}

function propertyValues(name: string, type: string): fc.Arbitrary<unknown> {
  if (name === 'responseTopic') return topicNames;
  switch (type) {
    case 'byte':
      return fc.nat(1);
    case 'uint16':
      return fc.integer({ min: 1, max: 0xffff });
    case 'uint32':
      return fc.integer({ min: 1, max: 0xffff_ffff });
    case 'varint':
      return fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 268_435_455 }));
    case 'string':
      return texts;
    case 'binary':
      return binaries;
    default:
      return fc.tuple(texts, texts);
  }
}

function codes(carrier: string): fc.Arbitrary<number> {
  const rows = Object.values(REASONS).filter((row) => (row.packets as readonly string[]).includes(carrier));
  return fc.constantFrom(...rows.map((row) => row.code));
}

const allowed = (text: string) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
const texts = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ maxLength: 40 }), fc.constant('\uFEFFbom'))
  .filter(allowed);
const topicNames = texts.map((text) => text.replaceAll(/[#+]/g, '/') || 'topic');
const binaries = fc.uint8Array({ maxLength: 40 });
const qos = fc.constantFrom(0, 1, 2);
const packetId = fc.integer({ min: 1, max: 0xffff });
