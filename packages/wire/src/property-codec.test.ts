// Every property on every packet: right, misplaced, repeated, out of range, cut short (2.2.2.2).

import { describe, expect, test } from 'vitest';
import { decode, encode, type Packet, PeerError } from './index.ts';
import { bytesOf } from './testing/notation.ts';
import { plain } from './testing/plain.ts';
import { TWIN_PROPERTIES, type TwinProperty } from './twin/tables.ts';

/** A packet of each kind around a property block. */
const AROUND: Readonly<Record<string, readonly [before: string, after: string]>> = {
  connect: [`10 rl 'MQTT' 05 02 u16:0 props[ 15 'm'`, `] 'c'`],
  will: [`10 rl 'MQTT' 05 06 u16:0 props[ ] 'c' props[`, `] 'w' bin[ ]`],
  connack: ['20 rl 00 00 props[', ']'],
  publish: [`30 rl 't' props[`, '] 00'],
  puback: ['40 rl u16:1 00 props[', ']'],
  pubrec: ['50 rl u16:1 00 props[', ']'],
  pubrel: ['62 rl u16:1 00 props[', ']'],
  pubcomp: ['70 rl u16:1 00 props[', ']'],
  subscribe: ['82 rl u16:1 props[', `] 'f' 00`],
  suback: ['90 rl u16:1 props[', '] 00'],
  unsubscribe: ['a2 rl u16:1 props[', `] 'f'`],
  unsuback: ['b0 rl u16:1 props[', '] 00'],
  disconnect: ['e0 rl 00 props[', ']'],
  auth: [`f0 rl 18 props[ 15 'm'`, ']'],
};

/** A good value of each type, and how each may be cut short. */
const VALUES: Readonly<Record<string, { good: string; short: readonly string[] }>> = {
  byte: { good: '01', short: [''] },
  uint16: { good: 'u16:1', short: ['', '00'] },
  uint32: { good: 'u32:1', short: ['', '000000'] },
  varint: { good: '01', short: ['', '80', '808080'] },
  string: { good: `'x'`, short: ['', '00', 'u16:2 78'] },
  binary: { good: `'x'`, short: ['', '00', 'u16:2 78'] },
  pair: { good: `'x' 'y'`, short: ['', `'x'`, `'x' 00`, `'x' u16:2 78`] },
};

/** Values of the right type that a section forbids. */
const FORBIDDEN: Readonly<Record<string, readonly [value: string, reason: string]>> = {
  payloadFormatIndicator: ['02', 'protocol-error'],
  requestProblemInformation: ['02', 'protocol-error'],
  requestResponseInformation: ['02', 'protocol-error'],
  maximumQoS: ['02', 'protocol-error'],
  retainAvailable: ['02', 'protocol-error'],
  wildcardSubscriptionAvailable: ['02', 'protocol-error'],
  subscriptionIdentifierAvailable: ['02', 'protocol-error'],
  sharedSubscriptionAvailable: ['02', 'protocol-error'],
  receiveMaximum: ['u16:0', 'protocol-error'],
  maximumPacketSize: ['u32:0', 'protocol-error'],
  subscriptionIdentifier: ['00', 'protocol-error'],
  topicAlias: ['u16:0', 'topic-alias-invalid'],
  responseTopic: [`'+'`, 'protocol-error'],
};

describe.each(Object.keys(AROUND))('%s', (carrier) => {
  const allowed = TWIN_PROPERTIES.filter((row) => row.packets.includes(carrier));
  const others = TWIN_PROPERTIES.filter((row) => !row.packets.includes(carrier));
  /** `connect` and `auth` already have a method, without which their data is refused. */
  const fresh = allowed.filter((row) => !(row.name === 'authenticationMethod' && carrier !== 'connack'));

  test.each(others.map((row) => [row.name, row] as const))('[MQTT-2.2.2-2] %s has no place there', (_, row) => {
    expect(refusal(carrier, item(row))).toEqual(['malformed-packet', '2.2.2.2']);
  });

  test.each(fresh.map((row) => [row.name, row] as const))('%s is read and written back', (_, row) => {
    const bytes = packet(carrier, item(row));
    expect([...encode(decode(bytes, 5), 5)]).toEqual([...bytes]);
  });

  test.each(allowed.map((row) => [row.name, row] as const))('%s twice', (_, row) => {
    const twice = `${item(row)} ${item(row)}`;
    const mayRepeat = row.name === 'userProperty' || (row.name === 'subscriptionIdentifier' && carrier === 'publish');
    if (mayRepeat) expect(outcome(carrier, twice)).toBeUndefined();
    else expect(refusal(carrier, twice)).toEqual(['protocol-error', '2.2.2.2']);
  });

  test.each(allowed.map((row) => [row.name, row] as const))('%s cut short by the end of the block', (_, row) => {
    for (const short of VALUES[row.type]?.short ?? []) {
      const [reason] = refusal(carrier, `${id(row)} ${short}`);
      expect(reason, short).toBe('malformed-packet');
    }
  });

  const limited = fresh.filter((row) => row.name in FORBIDDEN);
  test.each(limited.map((row) => [row.name, row] as const))('%s with a value it cannot have', (name, row) => {
    const [value, reason] = FORBIDDEN[name] ?? ['', ''];
    expect(refusal(carrier, `${id(row)} ${value}`)[0]).toBe(reason);
  });

  test.each(['00', '04', '7f', 'vbi:128', 'vbi:16384'])('no property has the identifier %s', (unknown) => {
    expect(refusal(carrier, unknown)).toEqual(['malformed-packet', '2.2.2.2']);
  });

  test.each(others.map((row) => [row.name, row] as const))('%s cannot be encoded there', (name) => {
    const whole = decode(packet(carrier, ''), 5) as unknown as Record<string, unknown>;
    const given = { ...(whole['properties'] as object), [name]: 1 };
    const will = whole['will'] as object | undefined;
    const wrong =
      carrier === 'will' ? { ...whole, will: { ...will, properties: given } } : { ...whole, properties: given };
    expect(() => encode(wrong as unknown as Packet, 5)).toThrow(RangeError);
  });
});

test('user properties keep their order, names may repeat [MQTT-3.3.2-18]', () => {
  const bytes = packet('publish', `26 'b' '1' 26 'a' '2' 26 'b' '1'`);
  expect(plain(decode(bytes, 5))).toMatchObject({
    properties: {
      userProperty: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
    },
  });
});

function packet(carrier: string, properties: string): Uint8Array {
  const [before, after] = AROUND[carrier] ?? ['', ''];
  return bytesOf(`${before} ${properties} ${after}`);
}

function item(row: TwinProperty): string {
  return `${id(row)} ${VALUES[row.type]?.good}`;
}

function id(row: TwinProperty): string {
  return row.id.toString(16).padStart(2, '0');
}

function outcome(carrier: string, properties: string): PeerError | undefined {
  try {
    decode(packet(carrier, properties), 5);
    return undefined;
  } catch (error) {
    if (error instanceof PeerError) return error;
    throw error;
  }
}

function refusal(carrier: string, properties: string): [reason: string, rule: string] {
  const error = outcome(carrier, properties);
  if (error === undefined) throw new Error('it was accepted');
  return [error.reason, error.rule];
}
