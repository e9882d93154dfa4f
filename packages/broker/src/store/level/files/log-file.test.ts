import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskedCrc32c } from './crc32c.ts';
import { type LogRecord, readLog } from './log-file.ts';

/** Writes records as LevelDB does: in fragments that do not cross a block. */
function logOf(records: readonly Uint8Array[]): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const put = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
  };
  for (const record of records) {
    for (let at = 0, first = true, done = false; !done; first = false) {
      const left = BLOCK - (length % BLOCK);
      if (left < 7) put(Buffer.alloc(left));
      const room = BLOCK - (length % BLOCK) - 7;
      const bytes = record.subarray(at, at + room);
      at += bytes.length;
      done = at === record.length;
      const fragment = Buffer.alloc(7 + bytes.length);
      fragment.writeUInt16LE(bytes.length, 4);
      fragment[6] = done ? (first ? 1 : 4) : first ? 2 : 3;
      fragment.set(bytes, 7);
      fragment.writeUInt32LE(maskedCrc32c(fragment, 6, fragment.length), 0);
      put(fragment);
    }
  }
  return Buffer.concat(parts);
}

const sizes = fc.array(fc.oneof(fc.nat(200), fc.integer({ min: 32_000, max: 100_000 })), {
  minLength: 1,
  maxLength: 12,
});
const recordsOf = (lengths: readonly number[]): Buffer[] =>
  lengths.map((length, at) => Buffer.alloc(length, `record ${at} of this log `));

function same(read: readonly LogRecord[], records: readonly Buffer[]): boolean {
  return read.length === records.length && read.every(({ bytes }, at) => records[at]?.equals(bytes));
}

describe('a log', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(sizes, (lengths) => {
        const records = recordsOf(lengths);
        const { records: read, damage } = readLog(logOf(records));
        expect(damage).toBeUndefined();
        expect(read.every(({ isWhole }) => isWhole)).toBe(true);
        expect(same(read, records)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('that a crash cut off, anywhere, ends with its last whole record and is not damaged', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(2_000), (lengths, cut, zeros) => {
        const records = recordsOf(lengths);
        const file = logOf(records);
        const short = file.subarray(0, cut % file.length);
        const { records: read, damage } = readLog(Buffer.concat([short, Buffer.alloc(zeros > 1_000 ? zeros : 0)]));
        expect(damage).toBeUndefined();
        expect(read.length).toBeLessThan(records.length);
        expect(same(read, records.slice(0, read.length))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('with a flipped bit: every other record is read, and that one is not taken for whole', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (lengths, where) => {
        const records = recordsOf([...lengths, 50]);
        const file = logOf(records);
        const bit = where % ((file.length - 57) * 8);
        file[bit >> 3] = (file[bit >> 3] as number) ^ (1 << (bit & 7));
        const { records: read, damage } = readLog(file);
        const whole = read.filter(({ isWhole }) => isWhole);
        // What fills a block whose rest is too short for a fragment belongs to nobody.
        if (damage === undefined) expect(same(whole, records)).toBe(true);
        expect(whole.length).toBeGreaterThanOrEqual(records.length - 1);
        for (const { bytes } of whole) expect(records.some((one) => one.equals(bytes))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('of any bytes is read without a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const { records, damage } = readLog(bytes);
        if (records.length > 0) expect(damage).toBeDefined();
      }),
      { numRuns: 2_000 },
    );
  });
});

const BLOCK = 32 * 1024;
