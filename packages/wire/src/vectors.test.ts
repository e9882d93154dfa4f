// Every vector of vectors/mqtt against the decoder, the encoder, the twin, the frame reader and the readers without objects.

import { describe, expect, test } from 'vitest';
import {
  AckView,
  decode,
  decodeFrom,
  encode,
  FrameReader,
  type Packet,
  PeerError,
  PublishView,
  readAck,
  readPublish,
  TopicCache,
} from './index.ts';
import { plain } from './testing/plain.ts';
import { loadVectors, type Vector } from './testing/vectors.ts';
import { Refusal, twinDecode } from './twin/decode.ts';

const vectors = loadVectors();

test('there are vectors for every packet type, and their names are unique', () => {
  expect(new Set(vectors.map((vector) => vector.file)).size).toBe(16);
  const titles = vectors.map((vector) => `${vector.file} ${vector.name} ${vector.version}`);
  expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([]);
});

describe.each(vectors.map((vector) => [title(vector), vector] as const))('%s', (_, vector) => {
  if (vector.packet !== undefined) {
    test('decodes', () => {
      expect(plain(decode(vector.bytes, vector.version))).toEqual(vector.packet);
      expect(plain(decode(Buffer.from(vector.bytes), vector.version))).toEqual(vector.packet);
      expect(plain(twinDecode(vector.bytes, vector.version))).toEqual(vector.packet);
    });
    test('encodes', () => {
      expect([...encode(vector.packet as Packet, vector.version)]).toEqual([...vector.encodes]);
    });
  } else {
    test('is refused', () => {
      const error = refusal(() => decode(vector.bytes, vector.version));
      expect({ refused: error.reason, rule: error.rule }).toEqual({ refused: vector.refused, rule: vector.rule });
      expect(twinRefusal(vector)).toBe(vector.refused);
    });
  }

  test('comes out of a stream the same, however it is cut', () => {
    const whole = outcome([vector.bytes], vector);
    if (vector.packet !== undefined) expect(whole).toEqual([vector.packet]);
    else expect(whole).toEqual([vector.incomplete ? 'pending' : `${vector.refused} ${vector.rule}`]);
    const last = Math.min(vector.bytes.length, vector.bytes.length < 3000 ? 80 : 6);
    for (let cut = 1; cut < last; cut++) {
      expect(outcome([vector.bytes.subarray(0, cut), vector.bytes.subarray(cut)], vector), `cut at ${cut}`).toEqual(
        whole,
      );
    }
    if (vector.bytes.length < 3000) {
      expect(
        outcome(
          Array.from(vector.bytes, (byte) => Uint8Array.of(byte)),
          vector,
        ),
      ).toEqual(whole);
    }
  });
});

/** What a connection would see: packets, a refusal at the end, or a frame that never ends. */
function outcome(chunks: Uint8Array[], vector: Vector): unknown[] {
  const reader = new FrameReader(1 << 20);
  const seen: unknown[] = [];
  try {
    for (const chunk of chunks) {
      reader.push(chunk);
      while (reader.next()) seen.push(readAll(reader, vector));
    }
    if (reader.pending) seen.push('pending');
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    seen.push(`${error.reason} ${error.rule}`);
  }
  return seen;
}

/** Reads the frame by every way there is, and compares them. */
function readAll({ buffer, start, bodyStart, end }: FrameReader, { version }: Vector): unknown {
  const type = (buffer[start] as number) >> 4;
  const whole = attempt(() => decodeFrom(buffer, start, bodyStart, end, version));
  if (type === 3) {
    const byView = attempt(() => {
      const view = new PublishView();
      readPublish(buffer, start, bodyStart, end, version, view);
      const { topicStart, topicEnd, qos, retain, dup, packetId } = view;
      const topic = topicStart === topicEnd ? '' : new TopicCache(8).parse(buffer, topicStart, topicEnd);
      return { topic, qos, retain, dup, packetId, payload: buffer.subarray(view.payloadStart, view.payloadEnd) };
    });
    expect(whole).toMatchObject(byView);
  } else if (type >= 4 && type <= 7) {
    const view = new AckView();
    const byView = attempt(() => {
      readAck(buffer, start, bodyStart, end, version, view);
      return view;
    });
    expect(whole).toMatchObject(byView);
  }
  return 'refused' in whole ? `${whole['refused']} ${whole['rule']}` : whole;
}

/** What it gives, or the refusal. */
function attempt(read: () => object): Record<string, unknown> {
  try {
    return plain(read()) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { refused: error.reason, rule: error.rule };
  }
}

function title({ file, name, version, rule, rule311 }: Vector): string {
  const id = version === 5 ? rule : (rule311 ?? rule);
  const cited = id === undefined ? '' : `[${id}] `;
  return `${cited}${file.replace('.json', '')}, MQTT ${{ 3: '3.1', 4: '3.1.1', 5: '5.0' }[version]}: ${name}`;
}

function refusal(read: () => unknown): PeerError {
  try {
    read();
  } catch (error) {
    if (error instanceof PeerError) return error;
    throw error;
  }
  throw new Error('the bytes were accepted');
}

function twinRefusal(vector: Vector): string {
  try {
    twinDecode(vector.bytes, vector.version);
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return 'the bytes were accepted';
}
