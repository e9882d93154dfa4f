import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader, PeerError } from './index.ts';

const REASONABLE = 1 << 20;

/** A PUBLISH whose whole length is given. */
function publishOf(frameLength: number): Uint8Array {
  const header = headerLength(frameLength);
  const frame = new Uint8Array(frameLength).fill(0x55);
  frame[0] = 0x30;
  for (let at = 1, left = frameLength - header; at < header; at++, left >>>= 7) {
    frame[at] = (left & 0x7f) | (at < header - 1 ? 0x80 : 0);
  }
  return frame;
}

function headerLength(frameLength: number): number {
  return frameLength < 130 ? 2 : frameLength < 16_387 ? 3 : 4;
}

function framesOf(reader: FrameReader, chunks: Iterable<Uint8Array>): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    while (reader.next()) {
      expect(reader.bodyStart - reader.start).toBe(headerLength(reader.end - reader.start));
      frames.push(new Uint8Array(reader.buffer.slice(reader.start, reader.end)));
    }
  }
  return frames;
}

function cut(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const places = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, i) => bytes.subarray(places[i], to));
}

test('any frames come out of any chunks as they were', () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 2, max: 40_000 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(lengths, fc.array(fc.nat(), { maxLength: 40 }), fc.boolean(), (sizes, cuts, atOnce) => {
      const frames = sizes.filter((size) => size !== 130 && size !== 16_387).map(publishOf);
      const stream = new Uint8Array(Buffer.concat(frames));
      const reader = new FrameReader(REASONABLE);
      const chunks = cut(stream, cuts);
      const seen: Uint8Array[] = [];
      if (atOnce) {
        for (const chunk of chunks) reader.push(chunk);
        seen.push(...framesOf(reader, [new Uint8Array(0)]));
      } else seen.push(...framesOf(reader, chunks));
      expect(seen.length).toBe(frames.length);
      for (const [i, frame] of seen.entries()) expect(Buffer.compare(frame, frames[i] as Uint8Array)).toBe(0);
      expect(reader.framesRead).toBe(frames.length);
      expect(reader.bytesRead).toBe(stream.length);
      expect(reader.pending).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('a frame that lies whole in one chunk is not copied', () => {
  const reader = new FrameReader(REASONABLE);
  const chunk = new Uint8Array(Buffer.concat([publishOf(10), publishOf(300), publishOf(5)]));
  reader.push(chunk);
  for (const [start, bodyStart, end] of [
    [0, 2, 10],
    [10, 13, 310],
    [310, 312, 315],
  ]) {
    expect(reader.next()).toBe(true);
    expect(reader.buffer).toBe(chunk);
    expect([reader.start, reader.bodyStart, reader.end]).toEqual([start, bodyStart, end]);
  }
  expect(reader.next()).toBe(false);
});

test('a chunk is let go of once it is used up', () => {
  const reader = new FrameReader(REASONABLE);
  reader.push(publishOf(10));
  expect(reader.next()).toBe(true);
  expect(reader.next()).toBe(false);
  expect(reader.buffer.length).toBe(0);
});

test('a part of a frame is pending, an empty chunk changes nothing', () => {
  const reader = new FrameReader(REASONABLE);
  reader.push(new Uint8Array(0));
  expect([reader.next(), reader.pending]).toEqual([false, false]);
  reader.push(Uint8Array.of(0xc0));
  expect([reader.next(), reader.pending]).toEqual([false, true]);
  reader.push(new Uint8Array(0));
  expect([reader.next(), reader.pending]).toEqual([false, true]);
  reader.push(Uint8Array.of(0, 0xc0));
  expect([reader.next(), reader.bodyStart, reader.end]).toEqual([true, 2, 2]);
  expect([reader.next(), reader.pending]).toEqual([false, true]);
});

describe('a packet that is too large', () => {
  test('[MQTT-3.2.2-15] is refused by its announced length, before any of its body is here', () => {
    const reader = new FrameReader(1000);
    reader.push(publishOf(1001).subarray(0, 3));
    expect(() => reader.next()).toThrow(expect.objectContaining({ reason: 'packet-too-large', rule: 'MQTT-3.2.2-15' }));
  });

  test('[MQTT-3.2.2-15] is refused the same when its header comes byte by byte', () => {
    const reader = new FrameReader(1000);
    expect(() =>
      framesOf(
        reader,
        Array.from(publishOf(1001).subarray(0, 3), (byte) => Uint8Array.of(byte)),
      ),
    ).toThrow(PeerError);
  });

  test('is one byte larger than what is allowed', () => {
    expect(framesOf(new FrameReader(1000), [publishOf(1000)]).length).toBe(1);
  });

  test('depends on the limit as it stands when the packet begins', () => {
    const reader = new FrameReader(100);
    reader.packetBytesMax = 2000;
    expect(framesOf(reader, [publishOf(1001)]).length).toBe(1);
  });
});

test('what is kept grows with what has arrived, not with what is announced', () => {
  const reader = new FrameReader(268_435_460);
  const before = process.memoryUsage().arrayBuffers;
  reader.push(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f, 0));
  expect(reader.next()).toBe(false);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
});

test('copying stays linear in the size of a packet that comes byte by byte', () => {
  const frame = publishOf(1_000_000);
  let copied = 0;
  const set = Uint8Array.prototype.set;
  Uint8Array.prototype.set = function count(this: Uint8Array, source: ArrayLike<number>, offset?: number) {
    copied += source.length;
    set.call(this, source, offset);
  };
  try {
    const reader = new FrameReader(REASONABLE);
    let frames = 0;
    for (let at = 0; at < frame.length; at++) {
      reader.push(frame.subarray(at, at + 1));
      while (reader.next()) frames += 1;
    }
    expect(frames).toBe(1);
  } finally {
    Uint8Array.prototype.set = set;
  }
  expect(copied).toBeLessThan(4 * frame.length);
});

test('any bytes in any chunks give the same frames and the same end, and PeerError at worst', () => {
  const likely = fc.oneof(fc.nat(255), fc.constantFrom(0x30, 0xc0, 0x40, 0, 1, 2, 0x80));
  fc.assert(
    fc.property(fc.array(likely, { maxLength: 60 }), fc.array(fc.nat(), { maxLength: 20 }), (list, cuts) => {
      const stream = Uint8Array.from(list);
      expect(outcome(cut(stream, cuts))).toEqual(outcome([stream]));
    }),
    { numRuns: 3000 },
  );
});

function outcome(chunks: Uint8Array[]): unknown[] {
  const reader = new FrameReader(100);
  const seen: unknown[] = [];
  try {
    for (const chunk of chunks) {
      reader.push(chunk);
      while (reader.next()) seen.push([...reader.buffer.subarray(reader.start, reader.end)]);
    }
    seen.push(reader.pending);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    seen.push(`${error.reason} ${error.rule}`);
  }
  return seen;
}
