import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createKeyAndCsr } from '../keys.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { openssl } from '../testing/openssl.ts';
import { parseCertificationRequest } from './request.ts';

/** A request made by openssl with the given arguments for the new key and the request. */
const requestBy = (...argv: string[]) =>
  withDataDirectory(async (data) => {
    const out = join(data, 'a.csr');
    const { code, text } = await openssl(
      'req',
      '-new',
      '-nodes',
      '-subj',
      '/CN=x',
      '-keyout',
      join(data, 'a.key'),
      '-out',
      out,
      ...argv,
    );
    if (code !== 0) throw new Error(text);
    return readFile(out, 'utf8');
  });

const ec = (curve: string, ...more: string[]) => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`, ...more];

it.each([
  ec('P-256'),
  ec('P-384'),
  ec('P-256', '-sha384'),
  ['-newkey', 'rsa:2048'],
  ['-newkey', 'rsa:3072', '-sha512'],
])('openssl req %s %s %s %s is accepted', async (...argv) => {
  expect((await parseCertificationRequest(await requestBy(...argv))).alternativeNames).toEqual([]);
});

it.each([
  [ec('secp256k1'), 'its EC key is on secp256k1'],
  [ec('P-521'), 'its EC key is on secp521r1'],
  [ec('P-256', '-pkeyopt', 'ec_param_enc:explicit'), 'it cannot be read'],
  [['-newkey', 'rsa:1024'], 'its RSA key has 1024 bits'],
  [['-newkey', 'rsa:2048', '-pkeyopt', 'rsa_keygen_pubexp:3'], 'its RSA key has the exponent 3'],
  [['-newkey', 'rsa:2048', '-sha1'], 'it is signed with a weak hash'],
  [['-newkey', 'ed25519'], 'its key is of type ed25519'],
  [['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'], 'its key is of type rsa-pss'],
])('openssl req %j is refused: %s', async (argv, why) => {
  const fault = await parseCertificationRequest(await requestBy(...argv)).catch((thrown: unknown) => thrown);
  expect(fault).toMatchObject({ code: 'MOT-0430', why: expect.stringContaining(why) });
});

it('RSA of more than 4096 bits is refused before anything is verified with it', async () => {
  const { csr } = await createKeyAndCsr('x', { type: 'rsa' });
  expect((await parseCertificationRequest(csr)).publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  // A request with a made-up key: only its size is looked at.
  const der = Buffer.from(csr.replace(/-----.*-----|\n/g, ''), 'base64');
  const modulus = Buffer.alloc(1024, 0xc5);
  const tlv = (tag: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([tag, 0x82, body.length >> 8, body.length & 0xff]), body]);
  };
  const key = tlv(0x30, tlv(0x02, Buffer.of(0), modulus), Buffer.from('0203010001', 'hex'));
  const algorithm = Buffer.from('300d06092a864886f70d0101010500', 'hex');
  const info = tlv(
    0x30,
    Buffer.from('020100', 'hex'),
    Buffer.from('3000', 'hex'),
    tlv(0x30, algorithm, tlv(0x03, Buffer.of(0), key)),
    Buffer.from('a000', 'hex'),
  );
  const signature = der.subarray(der.length - 256);
  const large = tlv(
    0x30,
    info,
    Buffer.from('300d06092a864886f70d01010b0500', 'hex'),
    tlv(0x03, Buffer.of(0), signature),
  );
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${large.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await expect(parseCertificationRequest(pem)).rejects.toThrow('its RSA key has 8192 bits');
});

it('a request signed by another key proves nothing', async () => {
  const [mine, other] = [await createKeyAndCsr('x', { type: 'ec' }), await createKeyAndCsr('x', { type: 'ec' })];
  const der = (pem: string) => Buffer.from(pem.replace(/-----.*-----|\n/g, ''), 'base64');
  const [a, b] = [der(mine.csr), der(other.csr)];
  // The key of one under the signature of the other: the last 65 bytes of the key's BIT STRING are the point.
  const point = Buffer.from('03420004', 'hex');
  b.copy(a, a.indexOf(point) + point.length, b.indexOf(point) + point.length, b.indexOf(point) + point.length + 64);
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${a.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await expect(parseCertificationRequest(pem)).rejects.toThrow('does not prove');
});

it.each([
  ['', 'it is not one PEM block'],
  ['garbage', 'it is not one PEM block'],
  ['-----BEGIN CERTIFICATE REQUEST-----\n', 'it cannot be read'],
  ['-----BEGIN CERTIFICATE REQUEST-----\n!!!!\n-----END CERTIFICATE REQUEST-----\n', 'it cannot be read'],
  ['-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n', 'it cannot be read'],
  ['-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n'.repeat(2), 'it is not one PEM block'],
  ['x'.repeat(20_000), 'it is longer than'],
])('%.40j is refused', async (pem, why) => {
  await expect(parseCertificationRequest(pem)).rejects.toThrow(expect.objectContaining({ code: 'MOT-0430' }));
  await expect(parseCertificationRequest(pem)).rejects.toThrow(why);
});

it('a request cut anywhere is refused', async () => {
  const { csr } = await createKeyAndCsr('x', { type: 'ec', alternativeNames: [{ type: 'dns', value: 'a' }] });
  const der = Buffer.from(csr.replace(/-----.*-----|\n/g, ''), 'base64');
  for (let length = 0; length < der.length; length += 1) {
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64', 0, length)}\n-----END CERTIFICATE REQUEST-----\n`;
    await expect(parseCertificationRequest(pem)).rejects.toThrow(expect.objectContaining({ code: 'MOT-0430' }));
  }
});

it('a request with one bit changed in what is signed is refused', async () => {
  const { csr } = await createKeyAndCsr('x', { type: 'ec' });
  const der = Buffer.from(csr.replace(/-----.*-----|\n/g, ''), 'base64');
  // SEQUENCE (3 bytes) of the signed SEQUENCE (2 bytes and its length), the algorithm and the signature.
  const end = 5 + (der[4] ?? 0);
  for (let at = 3; at < end; at += 1) {
    for (const bit of [0x01, 0x10, 0x80]) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ bit;
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${changed.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
      await expect(parseCertificationRequest(pem)).rejects.toThrow(expect.objectContaining({ code: 'MOT-0430' }));
    }
  }
});

it('alternative names are read as they were signed, and none of another type', async () => {
  const names = [
    { type: 'dns', value: 'a.example' },
    { type: 'ip', value: '::1' },
    { type: 'url', value: 'motte:device:a' },
  ] as const;
  const { csr } = await createKeyAndCsr('x', { type: 'ec', alternativeNames: names });
  expect((await parseCertificationRequest(csr)).alternativeNames).toEqual(names);
  const mail = await requestBy(...ec('P-256'), '-addext', 'subjectAltName=email:a@b.example');
  await expect(parseCertificationRequest(mail)).rejects.toThrow('of type email');
});

it.each(['ec', 'rsa'] as const)('our own %s requests satisfy openssl', (type) =>
  withDataDirectory(async (data) => {
    const { csr, key } = await createKeyAndCsr('pump-1', { type });
    await writeFile(join(data, 'a.csr'), csr);
    await writeFile(join(data, 'a.key'), key);
    expect((await openssl('req', '-verify', '-noout', '-in', join(data, 'a.csr'))).text).toContain('verify OK');
    expect((await openssl('pkey', '-check', '-noout', '-in', join(data, 'a.key'))).text).toContain('Key is valid');
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  }),
);
