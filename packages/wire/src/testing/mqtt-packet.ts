// The npm package mqtt-packet as a second opinion: its outcome in the shape of ours.

import mqttPacket from 'mqtt-packet';
import { PROPERTIES, type ProtocolVersion } from '../index.ts';
import { plain } from './plain.ts';

type Loose = Record<string, unknown>;

/** The one packet in these bytes in our shape, 'refused', or 'nothing' if it waits for more. */
export function readByMqttPacket(bytes: Uint8Array, version: ProtocolVersion): unknown {
  const parser = mqttPacket.parser({ protocolVersion: version });
  const seen: unknown[] = [];
  parser.on('packet', (packet) => seen.push({ ...packet }));
  parser.on('error', () => seen.push('refused'));
  try {
    parser.parse(Buffer.from(bytes));
  } catch {
    return 'refused';
  }
  if (seen.includes('refused')) return 'refused';
  if (seen.length === 0) return 'nothing';
  return rough(plain(ours(seen[0] as Loose, version)));
}

/** The bytes it makes of the packet it reads in these. */
export function generateByMqttPacket(bytes: Uint8Array, version: ProtocolVersion): Uint8Array {
  const parser = mqttPacket.parser({ protocolVersion: version });
  let again: Uint8Array | undefined;
  parser.on('packet', (packet) => {
    again = mqttPacket.generate(packet, { protocolVersion: version });
  });
  parser.parse(Buffer.from(bytes));
  if (again === undefined) throw new Error('mqtt-packet gave no packet');
  return again;
}

/** A packet of ours without what mqtt-packet cannot tell: the order of user properties, and empty ones among them. */
export function rough(packet: unknown): unknown {
  if (packet instanceof Uint8Array || typeof packet !== 'object' || packet === null) return packet;
  if (Array.isArray(packet)) return packet.map(rough);
  return Object.fromEntries(
    Object.entries(packet).map(([key, value]) => [key, key === 'userProperty' ? grouped(value) : rough(value)]),
  );
}

function grouped(pairs: [string, string][]): unknown {
  const names = [...new Set(pairs.map(([name]) => name))].sort();
  return names.map((name) => {
    const values = pairs.filter(([other, value]) => other === name && value !== '').map(([, value]) => value);
    return [name, ...values];
  });
}

function ours(packet: Loose, version: ProtocolVersion): Loose {
  const type = packet['cmd'];
  const properties = ourProperties(packet['properties']);
  const packetId = packet['messageId'] ?? 0;
  switch (type) {
    case 'connect': {
      const will = packet['will'] as Loose | undefined;
      return {
        type,
        version: packet['protocolVersion'],
        cleanStart: packet['clean'],
        keepAlive: packet['keepalive'],
        clientId: packet['clientId'],
        will: will && {
          topic: will['topic'],
          payload: will['payload'],
          qos: will['qos'],
          retain: will['retain'],
          properties: ourProperties(will['properties']),
        },
        userName: packet['username'],
        password: packet['password'],
        properties,
      };
    }
    case 'connack': {
      const reasonCode = version === 5 ? packet['reasonCode'] : packet['returnCode'];
      return { type, sessionPresent: packet['sessionPresent'], reasonCode, properties };
    }
    case 'publish': {
      const { topic, qos, retain, dup, payload } = packet;
      return { type, topic, qos, retain, dup, packetId, payload, properties };
    }
    case 'subscribe': {
      const subscriptions = (packet['subscriptions'] as Loose[]).map((each) => ({
        filter: each['topic'],
        qos: each['qos'],
        noLocal: each['nl'] ?? false,
        retainAsPublished: each['rap'] ?? false,
        retainHandling: each['rh'] ?? 0,
      }));
      return { type, packetId, subscriptions, properties };
    }
    case 'suback':
    case 'unsuback':
      return { type, packetId, reasonCodes: packet['granted'] ?? [], properties };
    case 'unsubscribe':
      return { type, packetId, filters: packet['unsubscriptions'], properties };
    case 'pingreq':
    case 'pingresp':
      return { type };
    case 'disconnect':
    case 'auth':
      return { type, reasonCode: packet['reasonCode'] ?? 0, properties };
    default:
      return { type, packetId, reasonCode: packet['reasonCode'] ?? 0, properties };
  }
}

function ourProperties(given: unknown): Loose {
  const entries = Object.entries((given ?? {}) as Loose).map(([theirs, value]): [string, unknown] => {
    if (theirs === 'userProperties') {
      const pairs = Object.entries(value as Record<string, string | string[]>);
      return ['userProperty', pairs.flatMap(([name, values]) => [values].flat().map((each) => [name, each]))];
    }
    const name = theirs === 'subscriptionIdentifiersAvailable' ? 'subscriptionIdentifierAvailable' : theirs;
    if (typeof value === 'boolean') return [name, value ? 1 : 0];
    const row = PROPERTIES[name as keyof typeof PROPERTIES];
    return [name, 'repeats' in row ? [value].flat() : value];
  });
  return Object.fromEntries(entries);
}
