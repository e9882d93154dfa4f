import { decode, encode, type Packet, PublishView, parseTopicName, readPublish } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { Frame } from './frame.ts';
import { Passage } from './passage.ts';

type Publish = Extract<Packet, { type: 'publish' }>;

const PLAIN: Publish = {
  type: 'publish',
  topic: 'a/b',
  payload: new TextEncoder().encode('hello'),
  qos: 1,
  retain: false,
  dup: false,
  packetId: 7,
  properties: {},
};

/** Both clocks. */
const at = (nowMs: number) => ({ nowMs, monotonicMs: nowMs - 1_000_000, run: 1 });

/** The packet as it was received, with bytes before and behind it as in a chunk. */
function received(packet: Partial<Publish> = {}, version: 4 | 5 = 5) {
  const frame = encode({ ...PLAIN, ...packet }, version);
  const buffer = Buffer.concat([Buffer.from([1, 2, 3]), frame, Buffer.from([4, 5])]);
  const view = new PublishView();
  const bodyStart = 3 + frame.length - bodyLength(frame);
  readPublish(buffer, 3, bodyStart, 3 + frame.length, version, view);
  const { qos, retain } = view;
  const origin = { topic: parseTopicName('a/b'), qos, retain, publisher: 'session', owner: 'owner' };
  const passage = Passage.ofFrame(
    Frame.of(buffer, 3, 3 + frame.length, view, version, undefined),
    origin,
    view.messageExpiry,
    at(1_000_000),
  );
  return { passage, buffer, frame };
}

function bodyLength(frame: Uint8Array): number {
  let at = 1;
  while ((frame[at] as number) >= 0x80) at += 1;
  return frame.length - at - 1;
}

/** What a client reads after the holes were filled. */
function shown(
  passage: Passage,
  version: 4 | 5,
  how: Partial<{ qos: 0 | 1 | 2; retain: boolean; dup: boolean; alias: 0 | 1 | 2; ids: number[] }> = {},
): Publish {
  const { qos = 1, retain = false, dup = false, alias = 0, ids = [] } = how;
  const template = passage.template(version, qos, retain, dup, alias, ids);
  const bytes = Uint8Array.from(template.bytes);
  if (template.packetIdAt >= 0) bytes[template.packetIdAt + 1] = 9;
  if (template.aliasAt >= 0) bytes[template.aliasAt + 1] = 3;
  return decode(bytes, version) as Publish;
}

describe('Passage', () => {
  it('leaves as it came, without a copy, to those who can take it so', () => {
    const { passage, buffer, frame } = received();
    const { bytes, packetIdAt, aliasAt } = passage.template(5, 1, false, false, 0, []);
    expect(Buffer.from(bytes).equals(frame)).toBe(true);
    expect(bytes.buffer).toBe(buffer.buffer);
    expect([bytes[packetIdAt], bytes[packetIdAt + 1], aliasAt]).toEqual([0, 7, -1]);
  });

  it('is encoded once for each kind of target', () => {
    const { passage } = received();
    const kinds = [
      passage.template(4, 1, false, false, 0, []),
      passage.template(4, 0, false, false, 0, []),
      passage.template(5, 0, false, false, 0, []),
      passage.template(5, 1, true, false, 0, []),
      passage.template(5, 1, false, true, 0, []),
      passage.template(5, 1, false, false, 1, []),
      passage.template(5, 1, false, false, 2, []),
    ];
    expect(new Set(kinds).size).toBe(kinds.length);
    expect(passage.template(4, 1, false, false, 0, [])).toBe(kinds[0]);
    expect(passage.template(3, 1, false, false, 0, [])).toBe(kinds[0]);
    expect(passage.template(5, 1, false, false, 2, [])).toBe(kinds[6]);
  });

  it('each kind says what it should', () => {
    const { passage } = received({ properties: { userProperty: [['k', 'v']], contentType: 'text/plain' } });
    const properties = { userProperty: [['k', 'v']], contentType: 'text/plain' };
    expect(shown(passage, 4, { qos: 0 })).toMatchObject({ topic: 'a/b', qos: 0, packetId: 0, properties: {} });
    expect(shown(passage, 5, { qos: 1, retain: true })).toMatchObject({ retain: true, packetId: 9, properties });
    expect(shown(passage, 5, { dup: true })).toMatchObject({ dup: true, properties });
    expect(shown(passage, 5, { alias: 1 })).toMatchObject({
      topic: 'a/b',
      properties: { ...properties, topicAlias: 3 },
    });
    expect(shown(passage, 5, { alias: 2 })).toMatchObject({ topic: '', properties: { ...properties, topicAlias: 3 } });
    expect(shown(passage, 5, { ids: [5, 300] }).properties).toMatchObject({
      ...properties,
      subscriptionIdentifier: [5, 300],
    });
    expect(shown(passage, 4, { ids: [5] }).properties).toEqual({});
  });

  it.each([
    ['DUP', { dup: true }],
    ['RETAIN', { retain: true }],
    ['an alias', { properties: { topicAlias: 2 } }],
  ])('[MQTT-3.3.1-3] what came with %s does not leave with it', (_name, packet) => {
    const { passage } = received(packet);
    const message = shown(passage, 5);
    expect(message).toMatchObject({ topic: 'a/b', dup: false, retain: false, properties: {} });
  });

  it('[MQTT-3.3.2-6] expiry is what is left when it is sent, in whole seconds, never below 0', () => {
    const { passage } = received({ properties: { messageExpiryInterval: 10 } });
    expect(shown(passage, 5).properties).toEqual({ messageExpiryInterval: 10 });
    const kept = passage.message();
    expect(kept.expiresAtMs).toBe(1_010_000);
    const left = (nowMs: number) => shown(Passage.ofMessage(kept, at(nowMs)), 5).properties.messageExpiryInterval;
    expect([1_000_000, 1_000_001, 1_004_000, 1_009_999, 1_010_000, 2_000_000].map(left)).toEqual([10, 10, 6, 1, 0, 0]);
    expect(shown(Passage.ofMessage(kept, at(1_004_000)), 4).properties).toEqual({});
  });

  it('keeps a message with bytes of its own: the chunk it came in may be used again', () => {
    const { passage, buffer } = received({ properties: { contentType: 'x' } });
    const kept = passage.message();
    expect(passage.message()).toBe(kept);
    buffer.fill(0xee);
    expect(new TextDecoder().decode(kept.payload)).toBe('hello');
    expect(new TextDecoder().decode(kept.topicBytes)).toBe('a/b');
    expect(shown(Passage.ofMessage(kept, at(1_000_000)), 5)).toMatchObject({
      topic: 'a/b',
      properties: { contentType: 'x' },
    });
    expect(kept).toMatchObject({
      topic: 'a/b',
      qos: 1,
      retain: false,
      publisher: 'session',
      owner: 'owner',
      expiresAtMs: 0,
    });
  });

  it('so does one that waits for PUBREL', () => {
    const { passage, buffer } = received({ qos: 2 });
    const waiting = passage.keep();
    buffer.fill(0xee);
    expect(shown(waiting.resume(at(2_000_000)), 5, { qos: 2 })).toMatchObject({ topic: 'a/b', qos: 2, packetId: 9 });
    expect(waiting.message().payload).toHaveLength(5);
  });

  it('counts topic, properties and payload, whether kept or not', () => {
    for (const packet of [{}, { properties: { contentType: 'text' } }, { properties: { topicAlias: 1 } }]) {
      const { passage } = received(packet);
      expect(Passage.ofMessage(passage.message(), at(1_000_000)).size).toBe(passage.size);
    }
  });
});
