import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createTestAuthority,
  derOf,
  type IssueOptions,
  selfSignedPair,
  type TestAuthority,
} from '../../../../test/fixtures/certificates.ts';
import { FakeClock } from '../../../../test/harness/fake-clock.ts';
import type { ConnectionFacts, ListenerFacts } from '../ports/connection-facts.ts';
import type { IdentityDirectory, RegisteredIdentity } from '../ports/directory.ts';
import type { Evidence } from '../ports/guards.ts';
import { type RevokedCertificates, revokedKey, type TrustFacts } from '../ports/trust.ts';
import { createProve, type Prove } from './prove.ts';

const OWN = 'ca:motte';
const DAY_MS = 86_400_000;

let authority: TestAuthority;
let partner: TestAuthority;
let pump: Uint8Array;
beforeAll(() => {
  authority = createTestAuthority('Plant');
  partner = createTestAuthority('Partner');
  pump = derOf(authority.issue('pump-1').cert);
});

const LISTENER: ListenerFacts = {
  name: 'devices',
  scheme: 'mqtts',
  authentication: 'certificate',
  role: undefined,
  clientIds: 'own',
  versions: [3, 4, 5],
  clientCa: ['ca:motte', 'ca:partner'],
};

function registered(name: string, fields: Partial<RegisteredIdentity> = {}): RegisteredIdentity {
  return { realm: OWN, name, kind: 'device', roles: ['device'], state: 'active', addedAtMs: 0, ...fields };
}

function directoryOf(...identities: RegisteredIdentity[]): IdentityDirectory {
  return {
    find: (realm, name) => identities.find((one) => one.realm === realm && one.name === name),
    list: () => identities,
    put: () => Promise.reject(new Error('read only')),
    remove: () => Promise.reject(new Error('read only')),
  };
}

interface Scene {
  readonly prove: Prove;
  readonly clock: FakeClock;
  trust: { -readonly [K in keyof TrustFacts]: TrustFacts[K] };
}

function scene(options: { directory?: IdentityDirectory; revoked?: RevokedCertificates } = {}): Scene {
  const clock = new FakeClock();
  // A minute ahead: certificates made later in the test begin before it.
  clock.advance(Date.now() - clock.nowMs() + 60_000);
  const issuers = [
    { pem: authority.root.cert, realm: OWN },
    { pem: authority.issuing.cert, realm: OWN },
    { pem: partner.issuing.cert, realm: 'ca:partner' },
  ];
  const trust = { number: 1, issuers, ...(options.revoked === undefined ? {} : { revoked: options.revoked }) };
  const directory =
    options.directory ??
    directoryOf(registered('pump-1'), registered('pump-1', { realm: 'ca:partner', roles: ['guest'] }));
  return { prove: createProve({ clock, directory, trust }), clock, trust };
}

function evidence(
  certificate: Uint8Array | undefined,
  fields: { resumed?: boolean; listener?: Partial<ListenerFacts> } = {},
): Evidence {
  const fingerprint = certificate === undefined ? undefined : createHash('sha256').update(certificate).digest('hex');
  const tls = {
    protocol: 'TLSv1.3',
    cipher: '',
    resumed: fields.resumed ?? false,
    serverName: undefined,
    certificate,
    fingerprint,
  };
  const facts: ConnectionFacts = {
    id: 1,
    listener: { ...LISTENER, ...fields.listener },
    address: '192.0.2.1',
    port: 1,
    tls,
    openedAtMs: 0,
  };
  return { facts, clientId: 'pump-1', userName: undefined, password: undefined, method: undefined, data: undefined };
}

function issued(name: string, options: IssueOptions): Uint8Array {
  return derOf(authority.issue(name, options).cert);
}

describe('a certificate of a trusted CA', () => {
  it('proves the registered identity of its realm, until it ends', () => {
    const { prove } = scene();
    const proven = prove(evidence(pump));
    expect(proven).toMatchObject({
      allow: true,
      identity: { realm: OWN, name: 'pump-1', kind: 'device', roles: ['device'] },
    });
    const { expiresAtMs } = proven as { expiresAtMs: number };
    expect(Math.abs(expiresAtMs - Date.now() - 20 * DAY_MS)).toBeLessThan(120_000);
  });

  it('of another CA proves another identity of the same name', () => {
    const { prove } = scene();
    const other = derOf(partner.issue('pump-1', { subjectAltName: '', subject: '/O=Partner/CN=pump-1' }).cert);
    expect(prove(evidence(other))).toMatchObject({
      identity: { realm: 'ca:partner', name: 'pump-1', roles: ['guest'] },
    });
  });

  it("gets the listener's role on top", () => {
    const { prove } = scene();
    expect(prove(evidence(pump, { listener: { role: 'bench' } }))).toMatchObject({
      identity: { roles: ['device', 'bench'] },
    });
  });

  it('of RSA is taken from 2048 bits on', () => {
    const { prove } = scene();
    expect(prove(evidence(issued('pump-1', { rsaBits: 2048 })))).toMatchObject({ allow: true });
    expect(prove(evidence(issued('pump-1', { rsaBits: 1024 })))).toMatchObject({
      because: expect.stringContaining('RSA of 1024 bits'),
    });
  });
});

describe('what proves nobody', () => {
  it.each<[string, () => Uint8Array | undefined, string]>([
    ['no certificate', () => undefined, 'no certificate'],
    ['bytes that are none', () => Buffer.from('nothing'), 'cannot be read'],
    ['a foreign certificate', () => derOf(createTestAuthority('Plant').issue('pump-1').cert), 'a foreign certificate'],
    ['a self-signed certificate', () => derOf(selfSignedPair('pump-1').cert), 'a foreign certificate'],
    ["the CA's own certificate", () => derOf(authority.issuing.cert), "a CA's certificate"],
    ['one without extended key usage', () => issued('pump-1', { extendedKeyUsage: '' }), 'for another purpose'],
    ['one for servers', () => issued('pump-1', { extendedKeyUsage: 'serverAuth' }), 'for another purpose'],
    ['one that has expired', () => issued('pump-1', { days: -1 }), 'has expired'],
    [
      'one whose two names differ',
      () => issued('pump-1', { subjectAltName: 'URI:motte:device:pump-2' }),
      'does not say the name',
    ],
    ['one with a name of several levels', () => issued('x', { subject: '/CN=pump-1\\/a' }), 'does not say the name'],
    [
      'one with more in its subject',
      () => issued('pump-1', { subject: '/CN=pump-1/CN=pump-2' }),
      'does not say the name',
    ],
    [
      'one whose subject breaks the line',
      () => issued('x', { subject: '/O=x\nCN=pump-1/CN=y' }),
      'does not say the name',
    ],
  ])('%s', (_what, certificate, because) => {
    expect(scene().prove(evidence(certificate()))).toMatchObject({
      allow: false,
      reason: 'not-authorized',
      because: expect.stringContaining(because),
    });
  });

  it('one of a partner whose subject smuggles a second name', () => {
    const { prove } = scene();
    for (const subject of ['/CN=a/CN=pump-1', '/O=a\nCN=pump-1', '/CN=pump-1\nx', '/OU=b+CN=pump-1']) {
      const options = { subjectAltName: '', subject };
      expect(prove(evidence(derOf(partner.issue('x', options).cert)))).toMatchObject({ allow: false });
    }
  });

  it('one that is not registered, or disabled', () => {
    expect(scene({ directory: directoryOf() }).prove(evidence(pump))).toMatchObject({
      because: expect.stringContaining('not registered'),
    });
    const disabled = directoryOf(registered('pump-1', { state: 'disabled' }));
    expect(scene({ directory: disabled }).prove(evidence(pump))).toMatchObject({
      because: 'pump-1 is disabled in the registry',
    });
  });

  it('one that was revoked', () => {
    const revoked = new Set<string>();
    const find = (key: string) => (revoked.has(key) ? { superseded: false } : undefined);
    const { prove } = scene({ revoked: { find } });
    expect(prove(evidence(pump))?.allow).toBe(true);
    revoked.add(revokedKey(OWN, serialOf(pump)));
    expect(prove(evidence(pump))).toMatchObject({
      because: 'the certificate of pump-1 was revoked',
      rule: 'identity.revocation',
    });
  });

  it('one that is not yet valid', () => {
    const { prove, clock } = scene();
    clock.advance(-2 * DAY_MS);
    expect(prove(evidence(pump))).toMatchObject({ because: expect.stringContaining('not yet valid') });
  });
});

describe('a resumed handshake', () => {
  it('proves what a full one on the same listener has proven, and nothing else', () => {
    const { prove } = scene();
    expect(prove(evidence(pump, { resumed: true }))).toMatchObject({ allow: false, rule: 'identity.resumption' });
    expect(prove(evidence(pump))?.allow).toBe(true);
    expect(prove(evidence(pump, { resumed: true }))?.allow).toBe(true);
    expect(prove(evidence(pump, { resumed: true, listener: { name: 'other' } }))).toMatchObject({
      rule: 'identity.resumption',
    });
  });

  it('is refused when the certificate has expired since', () => {
    const { prove, clock } = scene();
    expect(prove(evidence(pump))?.allow).toBe(true);
    clock.advance(21 * DAY_MS);
    expect(prove(evidence(pump, { resumed: true }))).toMatchObject({ because: expect.stringContaining('has expired') });
  });

  it('is refused when the trust has changed since', () => {
    const { prove, trust } = scene();
    expect(prove(evidence(pump))?.allow).toBe(true);
    trust.number = 2;
    expect(prove(evidence(pump, { resumed: true }))).toMatchObject({ rule: 'identity.resumption' });
    trust.number = 3;
    trust.issuers = trust.issuers.slice(2);
    expect(prove(evidence(pump))).toMatchObject({ because: expect.stringContaining('a foreign certificate') });
  });

  it('is refused when the identity was disabled since', () => {
    const identities = [registered('pump-1')];
    const { prove } = scene({ directory: { ...directoryOf(), find: () => identities[0] } });
    expect(prove(evidence(pump))?.allow).toBe(true);
    identities[0] = registered('pump-1', { state: 'disabled' });
    expect(prove(evidence(pump, { resumed: true }))?.allow).toBe(false);
  });

  it('without a certificate is nobody, whatever TLS says of it', () => {
    expect(scene().prove(evidence(undefined, { resumed: true }))).toMatchObject({ rule: 'listeners.authentication' });
  });
});

describe('a listener without authentication', () => {
  it('has one identity for everyone, with its role', () => {
    const { prove } = scene();
    const listener = { authentication: 'none', name: 'lab', role: 'lab' } as const;
    expect(prove(evidence(undefined, { listener }))).toEqual({
      allow: true,
      identity: { realm: 'listener:lab', name: 'anonymous', kind: 'anonymous', roles: ['lab'] },
      data: undefined,
      expiresAtMs: 0,
    });
    expect(prove(evidence(undefined, { listener: { ...listener, role: undefined } }))).toMatchObject({
      identity: { roles: [] },
    });
  });
});

function serialOf(der: Uint8Array): string {
  // Certificate, TBSCertificate, [0] version of 5 bytes, then INTEGER; both outer lengths take two bytes here.
  const at = 4 + 4 + 5;
  return Buffer.from(der.subarray(at + 2, at + 2 + (der[at + 1] ?? 0)))
    .toString('hex')
    .toUpperCase()
    .replace(/^00/, '');
}
