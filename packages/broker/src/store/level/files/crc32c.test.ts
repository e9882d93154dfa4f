import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskedCrc32c } from './crc32c.ts';

/** Unmasked: LevelDB's mask turns the sum by 15 bits and adds a constant. */
function plain(bytes: Uint8Array): number {
  const masked = (maskedCrc32c(bytes, 0, bytes.length) - 0xa282ead8) >>> 0;
  return ((masked >>> 17) | (masked << 15)) >>> 0;
}

describe('CRC-32C', () => {
  it('agrees with the examples of RFC 3720, B.4', () => {
    expect(plain(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(plain(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(plain(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e);
    expect(plain(Uint8Array.from({ length: 32 }, (_, at) => 31 - at))).toBe(0x113fdb5c);
    expect(plain(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  it('of a range is that of its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), fc.nat(9), (bytes, before, behind) => {
        const to = Math.max(before, bytes.length - behind);
        const from = Math.min(before, to);
        expect(maskedCrc32c(bytes, from, to)).toBe(maskedCrc32c(bytes.slice(from, to), 0, to - from));
      }),
    );
  });
});
