import ipaddr from 'ipaddr.js';
import { describe, expect, it, vi } from 'vitest';
import { type AddressRange, isWithin, parseAddressRange } from './address-range.ts';

function range(text: string): AddressRange {
  const parsed = parseAddressRange(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

describe('parseAddressRange', () => {
  it('takes addresses and networks of both kinds', () => {
    expect(isWithin(range('10.1.0.0/16'), '10.1.255.3')).toBe(true);
    expect(isWithin(range('10.1.0.0/16'), '10.2.0.1')).toBe(false);
    expect(isWithin(range('0.0.0.0/0'), '203.0.113.9')).toBe(true);
    expect(isWithin(range('192.0.2.7'), '192.0.2.7')).toBe(true);
    expect(isWithin(range('192.0.2.7'), '192.0.2.8')).toBe(false);
    expect(isWithin(range('fd00::/8'), 'fd12:3456::1')).toBe(true);
    expect(isWithin(range('::1'), '::1')).toBe(true);
  });

  it('knows an IPv4 address in IPv6 clothes, and that the other kind is never within', () => {
    expect(isWithin(range('10.0.0.0/8'), '::ffff:10.1.2.3')).toBe(true);
    expect(isWithin(range('::/0'), '10.1.2.3')).toBe(false);
    expect(isWithin(range('0.0.0.0/0'), '2001:db8::1')).toBe(false);
    expect(isWithin(range('fe80::/10'), 'fe80::1%eth0')).toBe(true);
  });

  it('compares exactly as many bits as the prefix has, in both kinds', () => {
    const differing = (address: string, bit: number) => {
      const bytes = ipaddr.parse(address).toByteArray();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (0x80 >> (bit & 7));
      return ipaddr.fromByteArray(bytes).toString();
    };
    for (const [address, width] of [
      ['0.0.0.0', 32],
      ['::', 128],
    ] as const) {
      for (let bits = 0; bits <= width; bits++) {
        const one = range(`${address}/${bits}`);
        if (bits > 0) expect(isWithin(one, differing(address, bits - 1)), one.text).toBe(false);
        if (bits < width) expect(isWithin(one, differing(address, bits)), one.text).toBe(true);
      }
    }
  });

  it('an unknown address, such as that of a Unix socket, is within nothing', () => {
    expect(isWithin(range('0.0.0.0/0'), '')).toBe(false);
    expect(isWithin(range('::/0'), '')).toBe(false);
  });

  it.each([
    '010.0.0.1',
    '0x7f.1',
    '127.1',
    '10.0.0.256',
    '',
    'host',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '::/129',
  ])('refuses %j', (text) => {
    expect(parseAddressRange(text)).toBeTypeOf('string');
  });

  it('refuses bits behind the prefix and says what was probably meant', () => {
    expect(parseAddressRange('10.1.2.3/16')).toContain('write 10.1.0.0/16');
    expect(parseAddressRange('10.1.2.3/14')).toContain('write 10.0.0.0/14');
    expect(parseAddressRange('2001:db8::1/32')).toContain('write 2001:db8::/32');
    expect(typeof parseAddressRange('10.1.2.0/23')).toBe('object');
  });

  it('is asked by thousands of rules about one address, and reads it once', () => {
    const parse = vi.spyOn(ipaddr.IPv4, 'parse');
    const ranges = Array.from({ length: 1_000 }, (_, n) => range(`10.${n >> 8}.${n & 255}.0/24`));
    parse.mockClear();
    expect(ranges.filter((one) => isWithin(one, '10.1.7.9')).map(({ text }) => text)).toEqual(['10.1.7.0/24']);
    expect(ranges.filter((one) => isWithin(one, '10.2.7.9')).map(({ text }) => text)).toEqual(['10.2.7.0/24']);
    expect(parse).toHaveBeenCalledTimes(2);
    parse.mockRestore();
  });
});
