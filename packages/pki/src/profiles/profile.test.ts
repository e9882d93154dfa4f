// Forged plans before the last look, and what others make of each profile. Nothing here is built by a profile function that a
// caller could not have got around.

import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Ca, createCa, loadCa } from '../issue/ca.ts';
import { refuseKey } from '../issue/request.ts';
import { sign } from '../issue/sign.ts';
import { deviceNameOf, NAMED_URI_PREFIXES, type NamedProfile } from '../protocol/names.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { openssl } from '../testing/openssl.ts';
import { namedProfile } from './named.ts';
import type { Plan, ProfileName } from './profile.ts';

const NOW = Date.now();
const withCa = (work: (ca: Ca, directory: string) => Promise<void>) =>
  withDataDirectory(async (directory) => {
    await createCa(directory, NOW, async () => undefined);
    await work(await loadCa(directory), directory);
  });

const KEYS: Record<string, KeyObject> = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey,
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey,
  rsa2048: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
  rsa1024: generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey,
};
const PROFILES: readonly ProfileName[] = [
  ...(['root', 'issuing', 'server', 'device'] as const),
  ...(['gateway', 'steward', 'administrator'] as const),
];

const name = fc.oneof(
  fc.constantFrom('pump-1', 'a', 'Motte server', 'Motte root CA 0123abcd', 'Motte issuing CA 0123abcd', 'a/b', '+', ''),
  fc.string({ maxLength: 8 }),
);
const alternativeName = fc.oneof(
  fc.record({
    type: fc.constant('url' as const),
    value: fc
      .tuple(
        fc.constantFrom(...Object.values(NAMED_URI_PREFIXES), 'https://'),
        fc.constantFrom('pump-1', 'a', 'b', '*'),
      )
      .map((parts) => parts.join('')),
  }),
  fc.record({ type: fc.constant('dns' as const), value: fc.constantFrom('localhost', '*.a', 'a b', '10.0.0.1') }),
  fc.record({ type: fc.constant('ip' as const), value: fc.constantFrom('127.0.0.1', '::1') }),
);
const forged = fc.record({
  profile: fc.constantFrom(...PROFILES),
  commonName: name,
  alternativeNames: fc.array(alternativeName, { maxLength: 2 }),
});

/** What a profile may be, told by the certificate alone. */
function violation(profile: ProfileName, leaf: X509Certificate): string | undefined {
  const { subject, subjectAltName: names, keyUsage: purposes, ca } = leaf;
  const days = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 86_400_000;
  if (profile === 'root' || profile === 'issuing') {
    return ca && names === undefined && /^CN=Motte (root|issuing) CA [0-9a-f]{8}$/.test(subject) ? undefined : 'no CA';
  }
  if (ca) return 'a CA';
  if (profile === 'server') {
    const isServer = subject === 'CN=Motte server' && String(purposes) === '1.3.6.1.5.5.7.3.1' && days < 92;
    return isServer && names?.split(', ').every((one) => /^(DNS:[a-z]+|IP Address:.+)$/.test(one))
      ? undefined
      : 'no server';
  }
  const own = subject.replace(/^CN=/, '');
  if (names !== `URI:motte:${profile}:${own}` || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(own)) return `named ${names}`;
  if (String(purposes) !== '1.3.6.1.5.5.7.3.2') return `for ${String(purposes)}`;
  if (deviceNameOf(leaf) !== (profile === 'administrator' ? undefined : own)) return 'taken for another';
  const isOffice = profile === 'steward' || profile === 'administrator';
  if (isOffice && leaf.publicKey.asymmetricKeyType === 'rsa') return 'an RSA key';
  return days < (isOffice ? 367 : 732) ? undefined : `${days} days`;
}

it(
  'whatever plan is forged, what is signed is within its profile',
  () =>
    withCa(async ({ issuer }) => {
      let signed = 0;
      await fc.assert(
        fc.asyncProperty(forged, fc.constantFrom(...Object.keys(KEYS)), async (plan, key) => {
          const certificate = await sign(plan as unknown as Plan, KEYS[key] as KeyObject, issuer, NOW).catch(
            () => undefined,
          );
          if (certificate === undefined) return;
          signed += 1;
          expect(violation(plan.profile, new X509Certificate(certificate.pem))).toBeUndefined();
        }),
        {
          numRuns: 400,
          examples: [
            [
              { profile: 'device', commonName: 'a', alternativeNames: [{ type: 'url', value: 'motte:device:a' }] },
              'P-256',
            ],
            [
              { profile: 'device', commonName: 'a', alternativeNames: [{ type: 'url', value: 'motte:device:b' }] },
              'P-256',
            ],
            [
              { profile: 'device', commonName: 'a', alternativeNames: [{ type: 'url', value: 'motte:steward:a' }] },
              'P-256',
            ],
            [
              { profile: 'steward', commonName: 'a', alternativeNames: [{ type: 'url', value: 'motte:steward:a' }] },
              'rsa2048',
            ],
            [
              {
                profile: 'server',
                commonName: 'Motte server',
                alternativeNames: [{ type: 'dns', value: 'localhost' }],
              },
              'rsa2048',
            ],
            [
              {
                profile: 'server',
                commonName: 'Motte server',
                alternativeNames: [{ type: 'url', value: 'motte:device:a' }],
              },
              'P-256',
            ],
          ],
        },
      );
      expect(signed).toBeGreaterThanOrEqual(2);
    }),
  120_000,
);

it.each(['device', 'gateway', 'steward', 'administrator'] satisfies NamedProfile[])(
  'OpenSSL takes a %s for a client and for nothing else',
  (profile) =>
    withCa(async ({ issuer, rootPem, issuingPem }, directory) => {
      const { pem } = await sign(namedProfile(profile, 'a'), KEYS['P-384'] as KeyObject, issuer, NOW);
      const at = (file: string) => join(directory, file);
      for (const [file, text] of Object.entries({ root: rootPem, issuing: issuingPem, leaf: pem })) {
        await writeFile(at(file), text);
      }
      const verify = async (purpose: string) => {
        const chain = ['-x509_strict', '-CAfile', at('root'), '-untrusted', at('issuing')];
        return (await openssl('verify', ...chain, '-purpose', purpose, at('leaf'))).code;
      };
      expect(await verify('sslclient')).toBe(0);
      for (const purpose of ['sslserver', 'smimesign', 'timestampsign']) expect(await verify(purpose)).not.toBe(0);
    }),
);

it('a key that a profile may not have is the fault of who asks', () => {
  const rsa = KEYS['rsa2048'] as KeyObject;
  refuseKey('gateway', rsa);
  for (const profile of ['steward', 'administrator', 'root'] as const) {
    expect(() => refuseKey(profile, rsa)).toThrow(expect.objectContaining({ code: 'MOT-0430' }));
  }
});
