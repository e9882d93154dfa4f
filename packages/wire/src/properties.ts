// The one table of MQTT 5.0 properties (2.2.2.2): identifier, data type, and which packets may carry each.
// Types, codec and documents derive from it, so a property on the wrong packet does not compile.

export type PropertyType = 'byte' | 'uint16' | 'uint32' | 'varint' | 'string' | 'binary' | 'pair';

/** Packets that have properties; `will` stands for the will properties inside CONNECT. */
export type PropertyCarrier =
  | 'connect'
  | 'will'
  | 'connack'
  | 'publish'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

interface PropertyRow {
  readonly id: number;
  readonly type: PropertyType;
  readonly packets: readonly PropertyCarrier[];
  /** True where the property may appear more than once; its value is then an array in the order received. */
  readonly repeats?: true;
}

export const PROPERTIES = {
  payloadFormatIndicator: { id: 0x01, type: 'byte', packets: ['publish', 'will'] },
  messageExpiryInterval: { id: 0x02, type: 'uint32', packets: ['publish', 'will'] },
  contentType: { id: 0x03, type: 'string', packets: ['publish', 'will'] },
  responseTopic: { id: 0x08, type: 'string', packets: ['publish', 'will'] },
  correlationData: { id: 0x09, type: 'binary', packets: ['publish', 'will'] },
  subscriptionIdentifier: { id: 0x0b, type: 'varint', packets: ['publish', 'subscribe'], repeats: true },
  sessionExpiryInterval: { id: 0x11, type: 'uint32', packets: ['connect', 'connack', 'disconnect'] },
  assignedClientIdentifier: { id: 0x12, type: 'string', packets: ['connack'] },
  serverKeepAlive: { id: 0x13, type: 'uint16', packets: ['connack'] },
  authenticationMethod: { id: 0x15, type: 'string', packets: ['connect', 'connack', 'auth'] },
  authenticationData: { id: 0x16, type: 'binary', packets: ['connect', 'connack', 'auth'] },
  requestProblemInformation: { id: 0x17, type: 'byte', packets: ['connect'] },
  willDelayInterval: { id: 0x18, type: 'uint32', packets: ['will'] },
  requestResponseInformation: { id: 0x19, type: 'byte', packets: ['connect'] },
  responseInformation: { id: 0x1a, type: 'string', packets: ['connack'] },
  serverReference: { id: 0x1c, type: 'string', packets: ['connack', 'disconnect'] },
  reasonString: {
    id: 0x1f,
    type: 'string',
    packets: ['connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'disconnect', 'auth'],
  },
  receiveMaximum: { id: 0x21, type: 'uint16', packets: ['connect', 'connack'] },
  topicAliasMaximum: { id: 0x22, type: 'uint16', packets: ['connect', 'connack'] },
  topicAlias: { id: 0x23, type: 'uint16', packets: ['publish'] },
  maximumQoS: { id: 0x24, type: 'byte', packets: ['connack'] },
  retainAvailable: { id: 0x25, type: 'byte', packets: ['connack'] },
  userProperty: {
    id: 0x26,
    type: 'pair',
    packets: [
      'connect',
      'will',
      'connack',
      'publish',
      'puback',
      'pubrec',
      'pubrel',
      'pubcomp',
      'subscribe',
      'suback',
      'unsubscribe',
      'unsuback',
      'disconnect',
      'auth',
    ],
    repeats: true,
  },
  maximumPacketSize: { id: 0x27, type: 'uint32', packets: ['connect', 'connack'] },
  wildcardSubscriptionAvailable: { id: 0x28, type: 'byte', packets: ['connack'] },
  subscriptionIdentifierAvailable: { id: 0x29, type: 'byte', packets: ['connack'] },
  sharedSubscriptionAvailable: { id: 0x2a, type: 'byte', packets: ['connack'] },
} as const satisfies Record<string, PropertyRow>;

export type PropertyName = keyof typeof PROPERTIES;

/** The JavaScript value of each data type; a pair is [name, value]. */
interface ValueOf {
  readonly byte: number;
  readonly uint16: number;
  readonly uint32: number;
  readonly varint: number;
  readonly string: string;
  readonly binary: Uint8Array;
  readonly pair: readonly [name: string, value: string];
}

type Value<N extends PropertyName> = (typeof PROPERTIES)[N] extends { readonly repeats: true }
  ? readonly ValueOf[(typeof PROPERTIES)[N]['type']][]
  : ValueOf[(typeof PROPERTIES)[N]['type']];

type NamesFor<C extends PropertyCarrier> = {
  [N in PropertyName]: C extends (typeof PROPERTIES)[N]['packets'][number] ? N : never;
}[PropertyName];

/** The properties that a packet of this type may carry; absent means not sent. */
export type Properties<C extends PropertyCarrier> = { readonly [N in NamesFor<C>]?: Value<N> };
