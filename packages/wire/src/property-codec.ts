// Property blocks of MQTT 5.0 (2.2.2): reading and writing them by the PROPERTIES table, and the values it cannot express.

import type { Cursor } from './cursor.ts';
import type { ProtocolVersion } from './packets/types.ts';
import { malformed, PeerError, protocolError } from './peer-error.ts';
import {
  PROPERTIES,
  type Properties,
  type PropertyCarrier,
  type PropertyName,
  type PropertyType,
} from './properties.ts';
import { checkResponseTopic } from './topics.ts';
import type { Writer } from './writer.ts';

/** The properties of a packet without any, and of all packets before MQTT 5.0. */
export const NO_PROPERTIES: Readonly<Record<never, never>> = Object.freeze({});

/** Reads a property block with its length in front; before MQTT 5.0 there is none. Throws PeerError. */
export function readProperties<C extends PropertyCarrier>(
  input: Cursor,
  carrier: C,
  version: ProtocolVersion,
): Properties<C> {
  if (version !== 5) return NO_PROPERTIES;
  const length = input.varint();
  if (length === 0) return NO_PROPERTIES;
  if (length > input.left) throw malformed('2.2.2.1', 'the properties are longer than the packet');
  const packetEnd = input.end;
  input.end = input.at + length;
  const properties: Record<string, unknown> = {};
  while (input.left > 0) {
    const id = input.varint();
    const row = BY_ID[id];
    if (row === undefined) throw malformed('2.2.2.2', `property ${id} does not exist`);
    if (!row.packets.includes(carrier)) throw malformed('2.2.2.2', `${row.name} is no property of ${carrier}`);
    const value = READ[row.type](input);
    const repeats = row.repeats && !(id === SUBSCRIPTION_IDENTIFIER && carrier === 'subscribe');
    const earlier = properties[row.name];
    if (earlier !== undefined && !repeats) throw protocolError('2.2.2.2', `${row.name} comes more than once`);
    checkValue(row.name, value);
    if (!row.repeats) properties[row.name] = value;
    else if (earlier === undefined) properties[row.name] = [value];
    else (earlier as unknown[]).push(value);
  }
  input.end = packetEnd;
  return properties as Properties<C>;
}

/** Writes a property block with its length in front, in the order of the object's keys; before MQTT 5.0 nothing. */
export function writeProperties<C extends PropertyCarrier>(
  output: Writer,
  carrier: C,
  version: ProtocolVersion,
  properties: Properties<C>,
): void {
  if (version !== 5) return;
  const start = output.length;
  writePropertyContent(output, carrier, properties);
  output.prefixLength(start);
}

/** The content of a property block alone. Throws RangeError for a property that the carrier cannot have. */
export function writePropertyContent(output: Writer, carrier: PropertyCarrier, properties: object): void {
  for (const [name, given] of Object.entries(properties)) {
    if (given === undefined) continue;
    const row = BY_NAME.get(name);
    if (row === undefined || !row.packets.includes(carrier))
      throw new RangeError(`${name} is no property of ${carrier}`);
    const values: readonly unknown[] = row.repeats ? given : [given];
    if (values.length > 1 && row.id === SUBSCRIPTION_IDENTIFIER && carrier === 'subscribe') {
      throw new RangeError('SUBSCRIBE has one subscription identifier at most');
    }
    for (const value of values) {
      checkValue(row.name, value);
      output.byte(row.id);
      WRITE[row.type](output, value as never);
    }
  }
}

/** Throws PeerError if a property of the right type has a value that its section forbids. */
export function checkValue(name: PropertyName, value: unknown): void {
  switch (name) {
    case 'payloadFormatIndicator':
      return flag(name, value, '3.3.2.3.2');
    case 'requestResponseInformation':
      return flag(name, value, '3.1.2.11.6');
    case 'requestProblemInformation':
      return flag(name, value, '3.1.2.11.7');
    case 'maximumQoS':
      return flag(name, value, '3.2.2.3.4');
    case 'retainAvailable':
      return flag(name, value, '3.2.2.3.5');
    case 'wildcardSubscriptionAvailable':
      return flag(name, value, '3.2.2.3.11');
    case 'subscriptionIdentifierAvailable':
      return flag(name, value, '3.2.2.3.12');
    case 'sharedSubscriptionAvailable':
      return flag(name, value, '3.2.2.3.13');
    case 'receiveMaximum':
      return positive(name, value, '3.1.2.11.3');
    case 'maximumPacketSize':
      return positive(name, value, '3.1.2.11.4');
    case 'subscriptionIdentifier':
      return positive(name, value, '3.8.2.1.2');
    case 'topicAlias':
      if (value === 0) throw new PeerError('topic-alias-invalid', 'MQTT-3.3.2-8', 'topicAlias is 0');
      return;
    case 'responseTopic':
      return checkResponseTopic(value as string);
    default:
  }
}

function flag(name: PropertyName, value: unknown, rule: string): void {
  if (value !== 0 && value !== 1) throw protocolError(rule, `${name} is neither 0 nor 1`);
}

function positive(name: PropertyName, value: unknown, rule: string): void {
  if (value === 0) throw protocolError(rule, `${name} is 0`);
}

interface Row {
  readonly name: PropertyName;
  readonly id: number;
  readonly type: PropertyType;
  readonly packets: readonly PropertyCarrier[];
  readonly repeats: boolean;
}

const ROWS: readonly Row[] = Object.entries(PROPERTIES).map(([name, row]) => ({
  name: name as PropertyName,
  id: row.id,
  type: row.type,
  packets: row.packets,
  repeats: 'repeats' in row,
}));
const BY_NAME: ReadonlyMap<string, Row> = new Map(ROWS.map((row) => [row.name, row]));
const BY_ID: readonly (Row | undefined)[] = Array.from({ length: 128 }, (_, id) => ROWS.find((row) => row.id === id));
const SUBSCRIPTION_IDENTIFIER = PROPERTIES.subscriptionIdentifier.id;

const READ: { readonly [T in PropertyType]: (input: Cursor) => unknown } = {
  byte: (input) => input.byte(),
  uint16: (input) => input.uint16(),
  uint32: (input) => input.uint32(),
  varint: (input) => input.varint(),
  string: (input) => input.text(),
  binary: (input) => input.binary(),
  pair: (input) => [input.text(), input.text()],
};

const WRITE: { readonly [T in PropertyType]: (output: Writer, value: never) => void } = {
  byte: (output, value: number) => output.byte(value),
  uint16: (output, value: number) => output.uint16(value),
  uint32: (output, value: number) => output.uint32(value),
  varint: (output, value: number) => output.varint(value),
  string: (output, value: string) => output.text(value),
  binary: (output, value: Uint8Array) => output.binary(value),
  pair: (output, value: readonly [string, string]) => {
    output.text(value[0]);
    output.text(value[1]);
  },
};
