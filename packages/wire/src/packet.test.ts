import { describe, expect, test } from 'vitest';
import {
  AckView,
  decode,
  decodeFrom,
  encode,
  encodeAck,
  FrameReader,
  forwardableProperties,
  type Packet,
  type ProtocolVersion,
  PublishView,
  parseTopicName,
  publishTemplate,
  readAck,
  readPublish,
  TopicCache,
} from './index.ts';
import { plain } from './testing/plain.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const topic = parseTopicName('a/b');

const everyPacket: [ProtocolVersion, Packet][] = [
  [3, { type: 'connect', version: 3, cleanStart: false, keepAlive: 10, clientId: 'c', properties: {} }],
  [
    5,
    {
      type: 'connect',
      version: 5,
      cleanStart: true,
      keepAlive: 65535,
      clientId: '',
      will: { topic, payload: bytes(1), qos: 2, retain: true, properties: { willDelayInterval: 5 } },
      userName: 'u',
      password: bytes(0, 255),
      properties: {
        receiveMaximum: 20,
        userProperty: [
          ['a', 'b'],
          ['a', '\u00e4'],
        ],
      },
    },
  ],
  [5, { type: 'connack', sessionPresent: true, reasonCode: 0, properties: { maximumQoS: 1 } }],
  [
    5,
    {
      type: 'publish',
      topic,
      qos: 1,
      retain: true,
      dup: true,
      packetId: 7,
      payload: bytes(1, 2),
      properties: { messageExpiryInterval: 4_000_000_000, subscriptionIdentifier: [1, 200, 268_435_455] },
    },
  ],
  [4, { type: 'publish', topic, qos: 0, retain: false, dup: false, packetId: 0, payload: bytes(), properties: {} }],
  [5, { type: 'puback', packetId: 1, reasonCode: 0x10, properties: {} }],
  [5, { type: 'pubrec', packetId: 1, reasonCode: 0, properties: { reasonString: 'why' } }],
  [4, { type: 'pubrel', packetId: 1, reasonCode: 0, properties: {} }],
  [5, { type: 'pubcomp', packetId: 1, reasonCode: 0x92, properties: {} }],
  [
    5,
    {
      type: 'subscribe',
      packetId: 9,
      subscriptions: [{ filter: 'a/#', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 }],
      properties: { subscriptionIdentifier: [3] },
    },
  ],
  [4, { type: 'suback', packetId: 9, reasonCodes: [0, 0x80], properties: {} }],
  [3, { type: 'unsubscribe', packetId: 9, filters: ['a', 'b'], properties: {} }],
  [5, { type: 'unsuback', packetId: 9, reasonCodes: [0x11], properties: {} }],
  [4, { type: 'pingreq' }],
  [4, { type: 'pingresp' }],
  [5, { type: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 0 } }],
  [5, { type: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'm', authenticationData: bytes(1) } }],
];

test.each(everyPacket)('MQTT %i: a packet that is encoded and decoded is the same packet: $type', (version, packet) => {
  const frame = encode(packet, version);
  expect(plain(decode(frame, version))).toEqual(packet);
  expect(plain(decode(new Uint8Array(frame), version))).toEqual(packet);
});

test('a frame cut into single bytes comes out whole, and is a packet at its place in the buffer', () => {
  const reader = new FrameReader(1000);
  const seen: Packet[] = [];
  for (const [version, packet] of everyPacket) {
    for (const byte of encode(packet, version)) {
      reader.push(bytes(byte));
      while (reader.next()) seen.push(decodeFrom(reader.buffer, reader.start, reader.bodyStart, reader.end, version));
    }
  }
  expect(plain(seen)).toEqual(everyPacket.map(([, packet]) => packet));
  expect(reader.pending).toBe(false);
  expect(reader.framesRead).toBe(everyPacket.length);
});

test('a template with its holes filled is the PUBLISH that was asked for', () => {
  const {
    bytes: frame,
    packetIdAt,
    aliasAt,
  } = publishTemplate(
    { topic: bytes(0x61), payload: bytes(9), properties: bytes(0x01, 1), messageExpiry: 70_000 },
    { version: 5, qos: 1, retain: false, dup: false, aliasMode: 1, subscriptionIds: [300] },
  );
  frame[packetIdAt + 1] = 5;
  frame[aliasAt + 1] = 6;
  expect(decode(frame, 5)).toMatchObject({
    topic: 'a',
    packetId: 5,
    properties: {
      topicAlias: 6,
      messageExpiryInterval: 70_000,
      subscriptionIdentifier: [300],
      payloadFormatIndicator: 1,
    },
  });
  const view = new PublishView();
  readPublish(frame, 0, 2, frame.length, 5, view);
  expect(view).toMatchObject({ packetId: 5, topicAlias: 6, messageExpiry: 70_000, payloadFormat: 1 });
  expect([...forwardableProperties(frame, view)]).toEqual([0x0b, 0xac, 0x02, 0x01, 1]);
  const cache = new TopicCache(16, 42);
  expect(cache.parse(frame, view.topicStart, view.topicEnd)).toBe('a');
});

test('an acknowledgement without objects', () => {
  const view = new AckView();
  const frame = encodeAck(6, 300, 0x92, 5);
  readAck(frame, 0, 2, frame.length, 5, view);
  expect(view).toEqual({ packetId: 300, reasonCode: 0x92 });
  expect([...encodeAck(4, 300, 0x10, 4)]).toEqual([0x40, 2, 1, 44]);
});

describe('a packet that the standard does not allow is not encoded: RangeError, for it is our own bug', () => {
  const publish: Packet = {
    type: 'publish',
    topic,
    qos: 1,
    retain: false,
    dup: false,
    packetId: 1,
    payload: bytes(),
    properties: {},
  };
  const wrong: [string, ProtocolVersion, unknown][] = [
    ['[MQTT-3.3.1-4] QoS 3', 4, { ...publish, qos: 3 }],
    ['[MQTT-3.3.1-2] QoS 0 sent again', 4, { ...publish, qos: 0, packetId: 0, dup: true }],
    ['[MQTT-2.2.1-2] QoS 0 with an identifier', 4, { ...publish, qos: 0 }],
    ['[MQTT-2.2.1-4] identifier 0', 4, { ...publish, packetId: 0 }],
    ['an identifier of three bytes', 4, { ...publish, packetId: 65_536 }],
    ['[MQTT-3.3.2-2] a wildcard in the topic', 4, { ...publish, topic: 'a/+' }],
    ['an empty topic', 5, { ...publish, topic: '' }],
    ['[MQTT-1.5.4-2] U+0000 in the topic', 4, { ...publish, topic: 'a\0' }],
    ['[MQTT-1.5.4-1] half a surrogate pair in the topic', 4, { ...publish, topic: '\ud800' }],
    ['a topic that is too long', 4, { ...publish, topic: 'x'.repeat(65_536) }],
    ['[MQTT-3.3.2-8] topic alias 0', 5, { ...publish, properties: { topicAlias: 0 } }],
    ['an expiry that is no integer', 5, { ...publish, properties: { messageExpiryInterval: 1.5 } }],
    ['an expiry below 0', 5, { ...publish, properties: { messageExpiryInterval: -1 } }],
    ['an expiry of five bytes', 5, { ...publish, properties: { messageExpiryInterval: 2 ** 32 } }],
    ['a subscription identifier of five bytes', 5, { ...publish, properties: { subscriptionIdentifier: [2 ** 28] } }],
    ['a property that does not exist', 5, { ...publish, properties: { colour: 1 } }],
    ['AUTH before MQTT 5.0', 4, { type: 'auth', reasonCode: 0, properties: {} }],
    ['[MQTT-3.15.2-1] AUTH with another code', 5, { type: 'auth', reasonCode: 1, properties: {} }],
    ['[MQTT-3.14.2-1] DISCONNECT with another code', 5, { type: 'disconnect', reasonCode: 1, properties: {} }],
    ['[MQTT-3.4.2-1] PUBACK with another code', 5, { type: 'puback', packetId: 1, reasonCode: 1, properties: {} }],
    [
      '[MQTT-3.2.2-8] CONNACK with another code',
      5,
      { type: 'connack', sessionPresent: false, reasonCode: 1, properties: {} },
    ],
    [
      '[MQTT-3.2.2-6] CONNACK that refuses a session it has',
      4,
      { type: 'connack', sessionPresent: true, reasonCode: 2, properties: {} },
    ],
    ['[MQTT-3.9.3-2] SUBACK with another code', 4, { type: 'suback', packetId: 1, reasonCodes: [3], properties: {} }],
    [
      '[MQTT-3.8.3-2] SUBSCRIBE without a filter',
      4,
      { type: 'subscribe', packetId: 1, subscriptions: [], properties: {} },
    ],
    [
      '[MQTT-3.10.3-2] UNSUBSCRIBE without a filter',
      4,
      { type: 'unsubscribe', packetId: 1, filters: [], properties: {} },
    ],
    ['[MQTT-3.1.2-22] a password without a user name', 4, { ...everyPacket[1]?.[1], version: 4, userName: undefined }],
    ['a packet that does not exist', 4, { type: 'ping' }],
  ];
  test.each(wrong)('%s', (_, version, packet) => {
    expect(() => encode(packet as Packet, version)).toThrow(RangeError);
  });

  test('and the next one is encoded as if nothing had been', () => {
    expect(() => encode({ ...publish, packetId: 0 }, 4)).toThrow(RangeError);
    expect([...encode({ type: 'puback', packetId: 258, reasonCode: 0, properties: {} }, 4)]).toEqual([0x40, 2, 1, 2]);
  });

  test('nor is an acknowledgement', () => {
    expect(() => encodeAck(4, 0, 0, 4)).toThrow(RangeError);
    expect(() => encodeAck(4, 65_536, 0, 4)).toThrow(RangeError);
    expect(() => encodeAck(6, 1, 0x10, 5)).toThrow(RangeError);
  });
});

test('the bytes of a packet are its own: a later packet does not change them', () => {
  const first = encode({ type: 'puback', packetId: 1, reasonCode: 0, properties: {} }, 4);
  encode({ type: 'puback', packetId: 2, reasonCode: 0, properties: {} }, 4);
  expect([...first]).toEqual([0x40, 2, 0, 1]);
});

test('every length of a body has its shortest header', () => {
  for (const length of [0, 1, 124, 125, 126, 16_380, 16_381, 2_097_148, 2_097_149]) {
    const packet: Packet = {
      type: 'publish',
      topic: 'a',
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      payload: new Uint8Array(length),
      properties: {},
    };
    const frame = encode(packet, 4);
    const decoded = decode(frame, 4);
    expect(decoded.type === 'publish' && decoded.payload.length).toBe(length);
  }
});
