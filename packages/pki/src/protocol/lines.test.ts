import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeLine, LINE_BYTES_MAX, LineReader } from './lines.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const refusal = expect.objectContaining({ code: 'MOT-0426' });

it('any chunking gives the same lines', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(9)), (texts, cuts) => {
      const lines = texts.map((text) => text.replaceAll('\n', ' '));
      const all = bytes(lines.map((line) => `${line}\n`).join(''));
      const reader = new LineReader();
      const found: string[] = [];
      let at = 0;
      for (const cut of cuts) {
        found.push(...reader.push(all.subarray(at, at + cut)));
        at += cut;
      }
      found.push(...reader.push(all.subarray(at)));
      expect(found).toEqual(lines);
      expect(reader.partial).toBe(false);
    }),
  );
});

it('a line of exactly the limit passes, one byte more is refused, in one chunk or in many', () => {
  const full = new Uint8Array(LINE_BYTES_MAX).fill(0x61);
  const reader = new LineReader();
  expect(reader.push(full)).toEqual([]);
  expect(reader.push(bytes('\n'))[0]).toHaveLength(LINE_BYTES_MAX);
  expect(() => reader.push(new Uint8Array(LINE_BYTES_MAX + 1))).toThrow(refusal);
  const slow = new LineReader();
  for (let sent = 0; sent < LINE_BYTES_MAX; sent += 1) slow.push(bytes('a'));
  expect(() => slow.push(bytes('a'))).toThrow(refusal);
});

it('a line that is not UTF-8 is refused', () => {
  expect(() => new LineReader().push(Uint8Array.of(0xff, 0x0a))).toThrow(refusal);
});

it('a document too long for the other side is refused before it is sent', () => {
  expect(encodeLine({ a: 1 })).toBe('{"a":1}\n');
  expect(() => encodeLine('é'.repeat(LINE_BYTES_MAX / 2))).toThrow(refusal);
  expect(encodeLine('a'.repeat(LINE_BYTES_MAX - 2))).toHaveLength(LINE_BYTES_MAX + 1);
});
