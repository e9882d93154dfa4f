import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decode,
  encode,
  encodePublishProperties,
  forwardableProperties,
  type Publish,
  type PublishTemplateOptions,
  PublishView,
  publishTemplate,
  readPublish,
} from './index.ts';
import { versionedPackets } from './testing/packet-arbitraries.ts';
import { plain } from './testing/plain.ts';

const publishes = versionedPackets()
  .filter(({ packet }) => packet.type === 'publish')
  .map(({ packet }) => packet as Publish);

const options: fc.Arbitrary<PublishTemplateOptions> = fc
  .record({
    version: fc.constantFrom(3, 4, 5),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    dup: fc.boolean(),
    aliasMode: fc.constantFrom(0, 1, 2),
    subscriptionIds: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 }),
  })
  .map((given) => ({ ...given, dup: given.dup && given.qos > 0 }) as PublishTemplateOptions);

test('any message through any template is the PUBLISH that was asked for', () => {
  const expiry = fc.option(fc.nat(0xffff_ffff), { nil: -1 });
  fc.assert(
    fc.property(
      publishes,
      options,
      expiry,
      fc.integer({ min: 1, max: 0xffff }),
      (message, asked, messageExpiry, number) => {
        const topic = message.topic || 'topic';
        const { bytes, packetIdAt, aliasAt } = publishTemplate(
          {
            topic: Buffer.from(topic),
            payload: message.payload,
            properties: encodePublishProperties(message.properties),
            messageExpiry,
          },
          asked,
        );
        expect([packetIdAt >= 0, aliasAt >= 0]).toEqual([asked.qos > 0, asked.version === 5 && asked.aliasMode > 0]);
        if (packetIdAt >= 0) Buffer.from(bytes.buffer, bytes.byteOffset).writeUInt16BE(number, packetIdAt);
        if (aliasAt >= 0) Buffer.from(bytes.buffer, bytes.byteOffset).writeUInt16BE(number, aliasAt);

        const {
          topicAlias: _a,
          messageExpiryInterval: _e,
          subscriptionIdentifier: _s,
          ...forwarded
        } = message.properties;
        const { version, qos, retain, dup, aliasMode, subscriptionIds } = asked;
        const properties = {
          ...forwarded,
          ...(aliasMode > 0 && { topicAlias: number }),
          ...(messageExpiry >= 0 && { messageExpiryInterval: messageExpiry }),
          ...(subscriptionIds.length > 0 && { subscriptionIdentifier: subscriptionIds }),
        };
        expect(plain(decode(bytes, version))).toEqual({
          type: 'publish',
          topic: version === 5 && aliasMode === 2 ? '' : topic,
          qos,
          retain,
          dup,
          packetId: qos > 0 ? number : 0,
          payload: plain(message.payload),
          properties: version === 5 ? plain(properties) : {},
        });
      },
    ),
    { numRuns: 1000 },
  );
});

test('[MQTT-3.3.2-17] what is forwarded of a received PUBLISH is all but its alias and expiry, in order', () => {
  fc.assert(
    fc.property(publishes, (message) => {
      const frame = encode(message, 5);
      const view = new PublishView();
      const bodyStart = 2 + (frame.length > 129 ? 1 : 0) + (frame.length > 16_386 ? 1 : 0);
      readPublish(frame, 0, bodyStart, frame.length, 5, view);
      const { topicAlias, messageExpiryInterval, ...kept } = message.properties;
      const forwarded = forwardableProperties(frame, view);
      const { bytes } = publishTemplate(
        { topic: Buffer.from('t'), payload: new Uint8Array(0), properties: forwarded, messageExpiry: -1 },
        { version: 5, qos: 0, retain: false, dup: false, aliasMode: 0, subscriptionIds: [] },
      );
      const decoded = decode(bytes, 5) as Publish;
      expect(plain(decoded.properties)).toEqual(plain(kept));
      expect(Object.keys(decoded.properties)).toEqual(Object.keys(kept));
      const isView = topicAlias === undefined && messageExpiryInterval === undefined;
      expect(
        forwarded.buffer === frame.buffer && forwarded.byteOffset === frame.byteOffset + view.propertiesStart,
      ).toBe(isView);
    }),
    { numRuns: 500 },
  );
});

test('a will’s properties become those of its message, without its delay', () => {
  const content = encodePublishProperties({
    willDelayInterval: 5,
    messageExpiryInterval: 7,
    contentType: 'x',
    userProperty: [['k', 'v']],
  });
  expect([...content]).toEqual([0x03, 0, 1, 0x78, 0x26, 0, 1, 0x6b, 0, 1, 0x76]);
});

test('what is too long for a packet is a RangeError', () => {
  const asked = { version: 4, qos: 0, retain: false, dup: false, aliasMode: 0, subscriptionIds: [] } as const;
  const message = { payload: new Uint8Array(0), properties: new Uint8Array(0), messageExpiry: -1 };
  expect(() => publishTemplate({ ...message, topic: new Uint8Array(65_536) }, asked)).toThrow(RangeError);
});
