// Packets that are right by themselves and meet each other: few topics, few client identifiers, few packet identifiers, so
// that sessions are taken over, messages find subscribers, acknowledgements find what they acknowledge.

import { encode, type Packet, type ProtocolVersion, type QoS } from '@motte/wire';
import type { Chance } from './chance.ts';

const TOPICS = [
  'a',
  'a/b',
  'a/b/c',
  '/a',
  'b/',
  '//',
  'c/d',
  '$SYS/x',
  '$share',
  'ü/漢',
  'devices/fuzz/up/x',
  'devices/fuzz/down/x',
  'deep/'.repeat(40),
];
const FILTERS = [
  ...TOPICS,
  '#',
  '+',
  'a/#',
  '+/b',
  '+/+/#',
  '/#',
  '$SYS/#',
  'devices/fuzz/down/#',
  '$share/g/a/#',
  '$share/g/#',
  '$share/h/+/b',
  '$share/g',
  '+/'.repeat(60),
];

/** Client identifiers that connections of one run share; all of them are the device `fuzz`'s own. */
const CLIENT_IDS = 40;

/** A CONNECT that the broker accepts. */
export function connect(chance: Chance, version: ProtocolVersion, keepAlive: number): Uint8Array {
  const is5 = version === 5;
  const cleanStart = !chance.oneIn(3);
  const will = chance.oneIn(4)
    ? {
        topic: chance.pick(TOPICS),
        payload: chance.bytes(chance.int(30)),
        qos: qos(chance),
        retain: chance.oneIn(3),
        properties: is5 && chance.oneIn(2) ? { willDelayInterval: chance.int(3) } : {},
      }
    : undefined;
  const properties = is5
    ? {
        sessionExpiryInterval: chance.pick([0, 0, 1, 2, 0xffff_ffff]),
        receiveMaximum: chance.pick([1, 2, 10, 65_535]),
        ...(chance.oneIn(4) ? { maximumPacketSize: chance.pick([1, 20, 100, 5000]) } : {}),
        ...(chance.oneIn(2) ? { topicAliasMaximum: chance.pick([0, 1, 3, 65_535]) } : {}),
      }
    : {};
  return encode(
    {
      type: 'connect',
      version,
      clientId: is5 && chance.oneIn(8) ? '' : `fuzz/${chance.int(CLIENT_IDS)}`,
      cleanStart,
      keepAlive,
      properties,
      ...(will === undefined ? {} : { will }),
    } as Packet,
    version,
  );
}

/** Any packet a client may send after CONNECT, sometimes at a moment when it may not. */
export function clientPacket(chance: Chance, version: ProtocolVersion): Uint8Array {
  return encode(choose(chance, version), version);
}

function choose(chance: Chance, version: ProtocolVersion): Packet {
  const is5 = version === 5;
  const packetId = chance.oneIn(20) ? chance.between(1, 65_535) : chance.between(1, 12);
  switch (chance.int(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return publish(chance, is5, packetId);
    case 4:
      return { type: 'puback', packetId, reasonCode: code(chance, is5), properties: {} };
    case 5:
      return { type: 'pubrec', packetId, reasonCode: code(chance, is5), properties: {} };
    case 6:
      return { type: 'pubrel', packetId, reasonCode: 0, properties: {} };
    case 7:
      return { type: 'pubcomp', packetId, reasonCode: 0, properties: {} };
    case 8:
    case 9:
      return subscribe(chance, is5, packetId);
    case 10:
      return { type: 'unsubscribe', packetId, filters: some(chance, FILTERS), properties: {} };
    default:
      if (chance.oneIn(12)) return { type: 'disconnect', reasonCode: is5 && chance.oneIn(2) ? 4 : 0, properties: {} };
      return { type: 'pingreq' };
  }
}

function publish(chance: Chance, is5: boolean, packetId: number): Packet {
  const level = qos(chance);
  const alias = is5 && chance.oneIn(3) ? { topicAlias: chance.pick([1, 2, 3, 32, 33]) } : {};
  const expiry = is5 && chance.oneIn(6) ? { messageExpiryInterval: chance.int(3) } : {};
  const users = is5 && chance.oneIn(6) ? { userProperty: [['k', 'v']] as [string, string][] } : {};
  return {
    type: 'publish',
    topic: 'topicAlias' in alias && chance.oneIn(2) ? '' : chance.pick(TOPICS),
    payload: chance.oneIn(60) ? new Uint8Array(chance.int(40_000)) : chance.bytes(chance.int(24)),
    qos: level,
    retain: chance.oneIn(4),
    dup: level > 0 && chance.oneIn(4),
    packetId: level === 0 ? 0 : packetId,
    properties: { ...alias, ...expiry, ...users },
  };
}

function subscribe(chance: Chance, is5: boolean, packetId: number): Packet {
  const subscriptions = some(chance, FILTERS).map((filter) => ({
    filter,
    qos: qos(chance),
    noLocal: is5 && !filter.startsWith('$share') && chance.oneIn(4),
    retainAsPublished: is5 && chance.oneIn(4),
    retainHandling: is5 ? chance.pick([0, 0, 1, 2] as const) : (0 as const),
  }));
  const properties = is5 && chance.oneIn(3) ? { subscriptionIdentifier: [chance.pick([1, 2, 268_435_455])] } : {};
  return { type: 'subscribe', packetId, subscriptions, properties };
}

function some<T>(chance: Chance, list: readonly T[]): T[] {
  return Array.from({ length: chance.pick([1, 1, 1, 2, 5]) }, () => chance.pick(list));
}

function code(chance: Chance, is5: boolean): number {
  return is5 && chance.oneIn(4) ? chance.pick([0x80, 0x97, 0x10]) : 0;
}

function qos(chance: Chance): QoS {
  return chance.pick([0, 1, 2] as const);
}
