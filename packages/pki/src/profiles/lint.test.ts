import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import type { Extension } from '@peculiar/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadX509 } from '../x509.ts';
import { lint } from './lint.ts';
import { deviceProfile } from './named.ts';
import type { Plan } from './profile.ts';
import { serverProfile } from './server.ts';

type X509 = Awaited<ReturnType<typeof loadX509>>;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const LIMITS = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2036, 0, 1) };
const device = deviceProfile('pump-1');

let x509: X509;
beforeAll(async () => {
  x509 = await loadX509();
});

interface Variant {
  readonly subject?: string;
  readonly serial?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly publicKey?: KeyObject;
  readonly extensions?: (right: Extension[]) => Extension[];
}

/** A device certificate that is right but for `variant`, put before lint. */
async function lintVariant(variant: Variant, plan: Plan = device, crlUrl?: string): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const right: Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.SubjectKeyIdentifierExtension('01'.repeat(20)),
    new x509.AuthorityKeyIdentifierExtension('02'.repeat(20)),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], true),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: 'motte:device:pump-1' }]),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: variant.serial ?? '3a'.repeat(16),
    subject: variant.subject ?? 'CN=pump-1',
    issuer: 'CN=issuer',
    notBefore: variant.notBefore ?? new Date(Date.UTC(2026, 5, 1)),
    notAfter: variant.notAfter ?? new Date(Date.UTC(2028, 5, 1)),
    publicKey: variant.publicKey?.export({ type: 'spki', format: 'der' }) ?? keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: variant.extensions?.(right) ?? right,
  });
  lint(plan, new Uint8Array(certificate.rawData), certificate.extensions, {
    ...LIMITS,
    ...(crlUrl === undefined ? {} : { crlUrl }),
  });
}

const without = (oid: string) => (right: Extension[]) => right.filter(({ type }) => type !== oid);
const instead = (make: () => Extension) => (right: Extension[]) => {
  const wrong = make();
  return right.map((extension) => (extension.type === wrong.type ? wrong : extension));
};

it('a certificate as its profile demands passes', () => lintVariant({}));

describe('where the revocation list is', () => {
  const url = 'http://pki.plant.example/1a2b3c4d.crl';
  const naming = (...points: string[]): Variant => ({
    extensions: (right) => [...right, new x509.CRLDistributionPointsExtension(points)],
  });

  it('stands in the certificate if the issuer says so', () => lintVariant(naming(url), device, url));

  it.each<[string, Variant, string | undefined, string]>([
    ['nowhere', {}, url, '2.5.29.31 is missing'],
    ['elsewhere', naming('http://elsewhere.example/1a2b3c4d.crl'), url, '2.5.29.31 is'],
    ['in two places', naming(url, url), url, '2.5.29.31 is'],
    ['somewhere that nobody named', naming(url), undefined, '2.5.29.31 does not belong'],
  ])('is not %s', (_where, variant, wanted, why) =>
    expect(lintVariant(variant, device, wanted)).rejects.toMatchObject({ why: expect.stringContaining(why) }),
  );
});

describe('refused before signing:', () => {
  it.each<[string, () => Variant, string]>([
    ['another subject', () => ({ subject: 'CN=pump-2' }), 'the subject is CN=pump-2'],
    ['a subject with more in it', () => ({ subject: 'CN=pump-1, O=x' }), 'the subject is'],
    ['a short serial number', () => ({ serial: '01' }), 'not 128 bits'],
    [
      'a certificate older than its issuer',
      () => ({ notBefore: new Date(Date.UTC(2025, 0, 1)) }),
      "not within its issuer's",
    ],
    [
      'a certificate that outlives its issuer',
      () => ({ notAfter: new Date(Date.UTC(2037, 0, 1)) }),
      "not within its issuer's",
    ],
    [
      'a life that ends before it begins',
      () => ({ notAfter: new Date(Date.UTC(2026, 1, 1)) }),
      'ends before it begins',
    ],
    ['no key usage', () => ({ extensions: without('2.5.29.15') }), '2.5.29.15 is missing'],
    ['no extended key usage', () => ({ extensions: without('2.5.29.37') }), '2.5.29.37 is missing'],
    ['no name', () => ({ extensions: without('2.5.29.17') }), '2.5.29.17 is missing'],
    [
      'a CA',
      () => ({ extensions: instead(() => new x509.BasicConstraintsExtension(true, undefined, true)) }),
      '2.5.29.19 is',
    ],
    [
      'a key that may sign certificates',
      () => ({ extensions: instead(() => new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)) }),
      '2.5.29.15 is',
    ],
    [
      'a device that may be a server',
      () => ({
        extensions: instead(() => new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'], true)),
      }),
      '2.5.29.37 is',
    ],
    [
      'an extended key usage nobody need heed',
      () => ({ extensions: instead(() => new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'], false)) }),
      '2.5.29.37 is wrongly marked',
    ],
    [
      'another name',
      () => ({
        extensions: instead(
          () => new x509.SubjectAlternativeNameExtension([{ type: 'url', value: 'motte:device:pump-2' }]),
        ),
      }),
      'motte:device:pump-2 stands for motte:device:pump-1',
    ],
    [
      'a second name',
      () => ({
        extensions: instead(
          () =>
            new x509.SubjectAlternativeNameExtension([
              { type: 'url', value: 'motte:device:pump-1' },
              { type: 'dns', value: 'a' },
            ]),
        ),
      }),
      'the alternative names are',
    ],
    [
      'an extension nobody asked for',
      () => ({ extensions: (right) => [...right, new x509.CertificatePolicyExtension(['1.2.3'])] }),
      '2.5.29.32 does not belong',
    ],
    [
      'an extension twice',
      () => ({
        extensions: (right) => [...right, new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)],
      }),
      '2.5.29.15 does not belong or stands twice',
    ],
    [
      'a small RSA key',
      () => ({ publicKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey }),
      'type or size',
    ],
    [
      'a key on another curve',
      () => ({ publicKey: generateKeyPairSync('ec', { namedCurve: 'secp521r1' }).publicKey }),
      'type or size',
    ],
    ['an Ed25519 key', () => ({ publicKey: generateKeyPairSync('ed25519').publicKey }), 'type or size'],
  ])('%s', async (_, variant, why) => {
    const fault = await lintVariant(variant()).catch((thrown: unknown) => thrown);
    expect(fault).toMatchObject({ code: 'MOT-0434', why: expect.stringContaining(why) });
  });

  it('a device certificate under the server profile', async () => {
    await expect(lintVariant({}, serverProfile([{ type: 'dns', value: 'localhost' }]))).rejects.toThrow(
      expect.objectContaining({ code: 'MOT-0434' }),
    );
  });
});

describe('profiles cannot be asked for the wrong thing:', () => {
  it.each(['a/b', '', '../x', 'a\nb'])('a device %j', (name) => {
    expect(() => deviceProfile(name)).toThrow(expect.objectContaining({ code: 'MOT-0433' }));
  });

  it.each([
    [[]],
    [[{ type: 'url', value: 'motte:device:pump-1' }]],
    [
      [
        { type: 'dns', value: 'localhost' },
        { type: 'url', value: 'https://localhost' },
      ],
    ],
    [[{ type: 'dns', value: '*.example' }]],
    [[{ type: 'dns', value: 'a, URI:motte:device:a' }]],
    [[{ type: 'dns', value: '10.0.0.1' }]],
    [[{ type: 'ip', value: 'localhost' }]],
    [[{ type: 'ip', value: '10.0.0.0/8' }]],
    [Array.from({ length: 65 }, (_, index) => ({ type: 'dns', value: `a${index}` }))],
  ] as [Parameters<typeof serverProfile>[0]][])('a server %#', (names) => {
    expect(() => serverProfile(names)).toThrow(expect.objectContaining({ code: 'MOT-0430' }));
  });
});
