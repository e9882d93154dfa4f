import { generateKeyPairSync, KeyObject, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withDataDirectory } from '../testing/data-directory.ts';
import { caExists, createCa, loadCa } from './ca.ts';

const NOW = Date.UTC(2026, 5, 1);
const unrecorded = async () => undefined;

/** A pki directory with a CA in it. */
const withCa = (work: (pki: string) => Promise<void>) =>
  withDataDirectory(async (pki) => {
    await createCa(pki, NOW, unrecorded);
    await work(pki);
  });

it('a root of 20 years and an issuing CA of 10, both begun an hour ago', () =>
  withCa(async (pki) => {
    const ca = await loadCa(pki);
    const root = new X509Certificate(ca.rootPem);
    const issuing = new X509Certificate(ca.issuingPem);
    expect(issuing.verify(root.publicKey)).toBe(true);
    for (const [certificate, years] of [
      [root, 20],
      [issuing, 10],
    ] as const) {
      expect(Date.parse(certificate.validFrom)).toBe(NOW - 3_600_000);
      const life = (Date.parse(certificate.validTo) - NOW) / (365.25 * 86_400_000);
      expect(Math.round(life * 100) / 100).toBe(years);
    }
  }));

it('two installations make two CAs that a trust store tells apart', () =>
  withCa(async (one) => {
    await withCa(async (other) => {
      const [a, b] = [await loadCa(one), await loadCa(other)];
      expect(a.root.subject).not.toBe(b.root.subject);
      expect(a.fingerprint).not.toBe(b.fingerprint);
    });
  }));

it('the signing key cannot be read out of the process', () =>
  withCa(async (pki) => {
    const { issuer, keys } = await loadCa(pki);
    expect(keys).toEqual({ root: 'file', issuing: 'file' });
    expect(Object.values(issuer).filter((value) => value instanceof KeyObject && value.type !== 'public')).toEqual([]);
  }));

it('half a CA is no CA: if the record cannot be written, none is there', () =>
  withDataDirectory(async (pki) => {
    const refuse = () => Promise.reject(new Error('full'));
    await expect(createCa(pki, NOW, refuse)).rejects.toThrow(expect.objectContaining({ code: 'MOT-0428' }));
    expect(await caExists(pki)).toBe(false);
    await createCa(pki, NOW, unrecorded);
    await loadCa(pki);
  }));

describe('a damaged CA is one line that names the file', () => {
  const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });

  it.each([
    ['issuing.key', 'garbage', 'is not a private key'],
    ['issuing.key', '', 'is not a private key'],
    ['issuing.key', otherKey.toString(), 'does not fit its certificate'],
    ['issuing.key', rsaKey.toString(), 'is not a P-256 key'],
    ['root.key', otherKey.toString(), 'does not fit its certificate'],
    ['root.crt', 'garbage', 'is not a certificate'],
    ['issuing.crt', 'garbage', 'is not a certificate'],
  ])('%s with %j', (name, text, why) =>
    withCa(async (pki) => {
      await writeFile(join(pki, 'ca', name), text);
      const fault = await loadCa(pki).then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      expect(fault).toMatchObject({ code: 'MOT-0424', why: `${join(pki, 'ca', name)} ${why}` });
      expect(fault?.message).not.toContain('\n');
    }),
  );

  it('a key whose secret half alone is damaged', () =>
    withCa(async (pki) => {
      const path = join(pki, 'ca', 'issuing.key');
      const der = Buffer.from((await readFile(path, 'utf8')).replace(/-----.*-----|\n/g, ''), 'base64');
      // The OCTET STRING of 32 bytes in an ECPrivateKey of version 1 (RFC 5915).
      const secret = der.indexOf(Buffer.from('0201010420', 'hex')) + 5;
      der[secret + 31] = (der[secret + 31] ?? 0) ^ 0x02;
      await writeFile(path, `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`);
      await expect(loadCa(pki)).rejects.toThrow('issuing.key does not fit its certificate');
    }));

  it('a missing file', () =>
    withCa(async (pki) => {
      await rm(join(pki, 'ca', 'issuing.key'));
      await expect(loadCa(pki)).rejects.toThrow('issuing.key is missing');
    }));

  it('certificates that do not belong together', () =>
    withCa(async (pki) => {
      const issuing = await readFile(join(pki, 'ca', 'issuing.crt'), 'utf8');
      await writeFile(join(pki, 'ca', 'root.crt'), issuing);
      await expect(loadCa(pki)).rejects.toThrow('root.crt is not a root');
      await withCa(async (other) => {
        await writeFile(join(pki, 'ca', 'root.crt'), await readFile(join(other, 'ca', 'root.crt')));
        await expect(loadCa(pki)).rejects.toThrow('issuing.crt was not issued by root.crt');
      });
    }));
});

describe('an unsafe CA is not used', () => {
  it('a key that others can read', () =>
    withCa(async (pki) => {
      await chmod(join(pki, 'ca', 'issuing.key'), 0o604);
      await expect(loadCa(pki)).rejects.toThrow(expect.objectContaining({ code: 'MOT-0423' }));
    }));

  it('a key behind a symbolic link', () =>
    withCa(async (pki) => {
      await rename(join(pki, 'ca', 'issuing.key'), join(pki, 'elsewhere'));
      await symlink(join(pki, 'elsewhere'), join(pki, 'ca', 'issuing.key'));
      await expect(loadCa(pki)).rejects.toThrow('is a symbolic link');
    }));

  it('a directory behind a symbolic link, or that others can enter', () =>
    withCa(async (pki) => {
      await chmod(join(pki, 'ca'), 0o710);
      await expect(loadCa(pki)).rejects.toThrow('has mode 0710');
      await chmod(join(pki, 'ca'), 0o700);
      await rename(join(pki, 'ca'), join(pki, 'elsewhere'));
      await symlink(join(pki, 'elsewhere'), join(pki, 'ca'));
      await expect(loadCa(pki)).rejects.toThrow('is not a directory');
    }));

  it('a key file that is a directory, or endless', () =>
    withCa(async (pki) => {
      await rm(join(pki, 'ca', 'issuing.key'));
      await mkdir(join(pki, 'ca', 'issuing.key'), { mode: 0o700 });
      await expect(loadCa(pki)).rejects.toThrow('is not a file');
      await rm(join(pki, 'ca', 'issuing.key'), { recursive: true });
      await writeFile(join(pki, 'ca', 'issuing.key'), 'x'.repeat(70_000), { mode: 0o600 });
      await expect(loadCa(pki)).rejects.toThrow('is larger than');
    }));
});
