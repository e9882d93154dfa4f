import { expect, test } from 'vitest';
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
