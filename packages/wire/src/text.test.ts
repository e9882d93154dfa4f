import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asciiText, utf8Text } from './host-buffer.ts';
import { PeerError, readText, textLength, writeText } from './index.ts';

const encoder = new TextEncoder();

test('[MQTT-1.5.4-1] any bytes are text exactly if they are well-formed UTF-8 without refused code points', () => {
  const near = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4)), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(near, (list) => {
      const bytes = Uint8Array.from(list);
      expect(read(bytes)).toBe(expected(bytes));
      expect(read(Buffer.from(bytes))).toBe(expected(bytes));
    }),
    { numRuns: 5000 },
  );
});

test('[MQTT-1.5.4-2] every code point, alone between two letters', () => {
  const wrong: number[] = [];
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const text = `a${String.fromCodePoint(point)}z`;
    const isRefused =
      point < 0x20 ||
      (point >= 0x7f && point <= 0x9f) ||
      (point >= 0xfdd0 && point <= 0xfdef) ||
      (point & 0xfffe) === 0xfffe;
    const bytes = encoder.encode(text);
    if (read(bytes) !== (isRefused ? undefined : text)) wrong.push(point);
    if (!isRefused && !isWritten(text, bytes)) wrong.push(point);
  }
  expect(wrong).toEqual([]);
});

test('[MQTT-1.5.4-3] a byte order mark is kept, wherever it stands', () => {
  for (const text of ['\ufeff', '\ufeffa', 'a\ufeffb']) {
    const bytes = encoder.encode(text);
    expect(read(bytes)).toBe(text);
    expect(read(Buffer.from(bytes))).toBe(text);
  }
});

describe('text that cannot be written', () => {
  test.each(['\0', 'a\u001f', '\u007f', '\u0085', '\ud800', 'a\udc00', '\ud83d!', '\ufffe', '\u{1ffff}'])(
    '%j',
    (text) => {
      expect(() => textLength(text)).toThrow(RangeError);
    },
  );
});

test('long text is read alike with and without the host’s buffers', () => {
  const ascii = 'abcdefghij'.repeat(2000);
  const wide = 'aé漢😀'.repeat(2000);
  for (const text of [ascii, wide]) {
    const bytes = encoder.encode(text);
    expect(readText(bytes, 0, bytes.length)).toBe(text);
    expect(readText(Buffer.from(bytes), 0, bytes.length)).toBe(text);
    expect(utf8Text(bytes, 0, bytes.length)).toBe(text);
  }
  const bytes = encoder.encode(ascii);
  expect(asciiText(bytes, 5, 8)).toBe('fgh');
});

function read(bytes: Uint8Array): string | undefined {
  try {
    return readText(bytes, 0, bytes.length);
  } catch (error) {
    expect(error).toBeInstanceOf(PeerError);
    return undefined;
  }
}

function expected(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function isWritten(text: string, bytes: Uint8Array): boolean {
  const buffer = new Uint8Array(textLength(text));
  return writeText(buffer, 0, text) === bytes.length && Buffer.compare(buffer, bytes) === 0;
}
