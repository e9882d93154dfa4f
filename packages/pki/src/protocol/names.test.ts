import { describe, expect, it } from 'vitest';
import {
  deviceNameOf,
  deviceUri,
  groupFingerprint,
  isDeviceName,
  isHostName,
  isIpAddress,
  parseDeviceName,
  serialText,
} from './names.ts';

describe('device names', () => {
  it.each(['a', '0', 'pump-1', 'Pump_1.line-2', 'x'.repeat(63)])('%s may name a device', (name) => {
    expect(parseDeviceName(name)).toBe(name);
  });

  it.each(['', '-a', '.a', '_a', 'a/b', 'a+', '#', 'a b', 'a\n', 'é', 'a\0', 'x'.repeat(64), '${device}', '$SYS'])(
    '%j may not',
    (name) => {
      expect(isDeviceName(name)).toBe(false);
      expect(() => parseDeviceName(name)).toThrow(expect.objectContaining({ code: 'MOT-0433' }));
    },
  );

  it('are refused when they are no text', () => {
    expect(() => parseDeviceName({ toString: () => 'pump' })).toThrow(expect.objectContaining({ code: 'MOT-0433' }));
  });
});

describe('deviceNameOf', () => {
  const leaf = { subject: 'CN=pump-1', subjectAltName: `URI:${deviceUri('pump-1')}` };

  it('reads the name when both places say the same', () => {
    expect(deviceNameOf(leaf)).toBe('pump-1');
  });

  it.each([
    { ...leaf, subject: 'CN=pump-2' },
    { ...leaf, subject: 'CN=pump-1\nOU=x' },
    { ...leaf, subject: 'O=pump-1' },
    { ...leaf, subject: '' },
    { ...leaf, subjectAltName: undefined },
    { ...leaf, subjectAltName: 'DNS:pump-1' },
    { ...leaf, subjectAltName: `${leaf.subjectAltName}, DNS:localhost` },
    { ...leaf, subjectAltName: `DNS:localhost, ${leaf.subjectAltName}` },
    { subject: 'CN=Motte server', subjectAltName: 'DNS:localhost' },
  ])('finds no device in %j', (other) => {
    expect(deviceNameOf(other)).toBeUndefined();
  });
});

it.each(['localhost', 'vm', 'a.b-c.example', 'line_1.local', '3com.example', 'xn--bcher-kva.example'])(
  '%s is a host name',
  (text) => {
    expect(isHostName(text)).toBe(true);
  },
);

it.each([
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  '-a',
  'a-',
  '*.a',
  'a b',
  '10.0.0.1',
  '1',
  'a.1',
  `${'x'.repeat(64)}.a`,
  'é.a',
  'a\0b',
  `${'a.'.repeat(126)}ab`,
])('%j is not', (text) => {
  expect(isHostName(text)).toBe(false);
});

it.each([
  '0.0.0.0',
  '127.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '1::',
  'fe80::1',
  '2001:db8::8:800:200c:417a',
  '1:2:3:4:5:6:7:8',
  '::ffff:10.0.0.1',
  '1:2:3:4:5:6:7.8.9.10',
])('%s is an address', (text) => {
  expect(isIpAddress(text)).toBe(true);
});

it.each([
  '',
  ':',
  ':::',
  '1',
  '1.2.3',
  '1.2.3.256',
  '01.2.3.4',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '1:2:3:4:5:6:7:8::',
  'fe80::1%eth0',
  '12345::',
  '1.2.3.4::',
  '::1.2.3',
  'g::',
  '1:',
  ':1',
])('%j is not', (text) => {
  expect(isIpAddress(text)).toBe(false);
});

it('a serial number has one spelling', () => {
  expect(serialText('070DF8')).toBe('70df8');
  expect(serialText('70df8')).toBe('70df8');
  expect(serialText('00')).toBe('0');
});

it('a fingerprint is grouped by bytes', () => {
  expect(groupFingerprint('0abc12')).toBe('0A:BC:12');
});
