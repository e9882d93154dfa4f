// Certificates of authorities that the operator brings: which of them a listener takes, which name they prove, how far their
// paths may go. Made by OpenSSL's own program.

import { createHash, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createTestAuthority,
  derOf,
  type IssueOptions,
  issueFrom,
  type Pair,
  selfSignedPair,
  type TestAuthority,
} from '../../../../test/fixtures/certificates.ts';
import type { CertificateName, ConnectionFacts, ListenerFacts } from '../ports/connection-facts.ts';
import type { RegisteredIdentity } from '../ports/directory.ts';
import type { Evidence } from '../ports/guards.ts';
import type { ForeignAuthority, TrustFacts } from '../ports/trust.ts';
import { createProve } from './prove.ts';

const DAY_MS = 86_400_000;
let own: TestAuthority;
let plant: TestAuthority;
let partner: TestAuthority;
beforeAll(() => {
  own = createTestAuthority('Motte');
  plant = createTestAuthority('Plant');
  partner = createTestAuthority('Partner');
});

interface Setting {
  readonly clientCa?: readonly string[];
  readonly name?: CertificateName;
  readonly authentication?: 'certificate' | 'any';
  readonly foreign?: ForeignAuthority;
  readonly plant?: readonly string[];
  readonly registered?: readonly RegisteredIdentity[];
  readonly laterMs?: number;
}

function prove(pem: string, setting: Setting = {}): unknown {
  const issuers = [
    ...[own.root.cert, own.issuing.cert].map((cert) => ({ pem: cert, realm: 'ca:motte' })),
    ...(setting.plant ?? [plant.root.cert, plant.issuing.cert]).map((cert) => ({ pem: cert, realm: 'ca:plant' })),
    ...[partner.root.cert, partner.issuing.cert].map((cert) => ({ pem: cert, realm: 'ca:partner' })),
  ];
  const foreign = new Map([
    ['ca:plant', setting.foreign ?? { roles: ['device'] }],
    ['ca:partner', {}],
  ]);
  const trust: TrustFacts = { number: 1, issuers, foreign };
  const clock = { nowMs: () => Date.now() + 60_000 + (setting.laterMs ?? 0), monotonicMs: () => 0 };
  const directory = {
    find: (realm: string, name: string) => setting.registered?.find((one) => one.realm === realm && one.name === name),
    list: () => [],
    put: async () => {},
    remove: async () => false,
  };
  return createProve({ clock, directory, trust })(evidenceOf(derOf(pem), setting));
}

function evidenceOf(certificate: Uint8Array, { clientCa = ['ca:plant'], name, authentication }: Setting): Evidence {
  const listener: ListenerFacts = {
    name: 'plant',
    scheme: 'mqtts',
    authentication: authentication ?? 'certificate',
    role: undefined,
    clientIds: 'own',
    versions: [5],
    clientCa,
    ...(name === undefined ? {} : { certificateName: name }),
  };
  const fingerprint = createHash('sha256').update(certificate).digest('hex');
  const tls = {
    protocol: '',
    cipher: '',
    resumed: false,
    serverName: undefined,
    certificate,
    fingerprint,
  };
  const facts: ConnectionFacts = { id: 1, listener, address: '', port: 0, tls, openedAtMs: 0 };
  return { facts, clientId: '', userName: undefined, password: undefined, method: undefined, data: undefined };
}

function issue(options: IssueOptions = {}, name = 'pump-1', by = plant): string {
  return by.issue(name, { subjectAltName: '', ...options }).cert;
}

const device = (realm: string, state: 'active' | 'disabled' = 'active'): RegisteredIdentity => {
  return { realm, name: 'pump-1', kind: 'device', roles: ['operator'], state, addedAtMs: 0 };
};

describe('who is let in', () => {
  it('whoever is certified, where the authority has roles; else who is registered with it', () => {
    const proven = prove(issue()) as { expiresAtMs: number };
    expect(proven).toMatchObject({
      identity: { realm: 'ca:plant', name: 'pump-1', kind: 'device', roles: ['device'] },
    });
    expect(Math.abs(proven.expiresAtMs - Date.now() - 20 * DAY_MS)).toBeLessThan(120_000);
    expect(prove(issue(), { foreign: {} })).toMatchObject({ rule: 'tls.clientCa.roles' });
    const registered = [device('ca:plant')];
    expect(prove(issue(), { foreign: {}, registered })).toMatchObject({ identity: { roles: ['operator'] } });
    expect(prove(issue(), { registered })).toMatchObject({ identity: { roles: ['operator'] } });
    expect(prove(issue(), { registered: [device('ca:plant', 'disabled')] })).toMatchObject({
      because: expect.stringContaining('disabled'),
    });
  });

  it('the same name of two authorities is two identities, and of a third nobody', () => {
    const clientCa = ['ca:plant', 'ca:partner', 'ca:motte'];
    const registered = [device('ca:motte'), device('ca:partner')];
    expect(prove(issue(), { clientCa, registered })).toMatchObject({
      identity: { realm: 'ca:plant', roles: ['device'] },
    });
    expect(prove(issue({}, 'pump-1', partner), { clientCa, registered })).toMatchObject({
      identity: { realm: 'ca:partner', roles: ['operator'] },
    });
    expect(prove(issue({}, 'pump-1', createTestAuthority('Plant')), { clientCa, registered })).toMatchObject({
      because: expect.stringContaining('a foreign certificate'),
    });
  });

  it('nobody of an authority that the listener does not name, Motte itself included', () => {
    expect(prove(issue(), { clientCa: ['ca:motte'] })).toMatchObject({ allow: false });
    expect(prove(issue({}, 'pump-1', partner))).toMatchObject({
      because: expect.stringContaining('a foreign certificate'),
    });
    const mine = own.issue('pump-1').cert;
    expect(prove(mine, { registered: [device('ca:motte')] })).toMatchObject({ allow: false });
    expect(prove(mine, { registered: [device('ca:motte')], clientCa: ['ca:motte'] })).toMatchObject({ allow: true });
  });

  it('no name but those that the authority may prove', () => {
    const foreign = { roles: ['device'], names: ['line-2-*', 'pump-7'] };
    expect(prove(issue(), { foreign })).toMatchObject({ rule: 'tls.clientCa.names' });
    for (const name of ['line-2-a', 'pump-7']) {
      expect(prove(issue({}, name), { foreign })).toMatchObject({ identity: { name } });
    }
  });
});

describe('what proves nobody', () => {
  const chainOf = (length: number): { cas: string[]; last: Pair } => {
    let last = selfSignedPair('Root of many');
    const cas = [last.cert];
    while (cas.length < length) {
      last = issueFrom(last, `Level ${cas.length}`, { ca: true, subjectAltName: '' });
      cas.push(last.cert);
    }
    return { cas, last };
  };

  it.each<[string, () => string, string]>([
    ['expired', () => issue({ days: -1 }), 'has expired'],
    ['for servers', () => issue({ extendedKeyUsage: 'serverAuth' }), 'lacks clientAuth'],
    ['without extended key usage', () => issue({ extendedKeyUsage: '' }), 'lacks clientAuth'],
    ['a key that may only encipher', () => issue({ extensions: ['keyUsage=keyEncipherment'] }), 'its key may not sign'],
    ['a CA for a leaf', () => issue({ ca: true }), "a CA's certificate"],
    ['the CA itself', () => plant.issuing.cert, "a CA's certificate"],
    ['RSA of 1024 bits', () => issue({ rsaBits: 1024 }), 'RSA of 1024 bits'],
    ['signed by SHA-1', () => issue({ digest: 'sha1' }), 'MD5 or SHA-1'],
    [
      'a critical extension of its own',
      () => issue({ extensions: ['1.2.3.4=critical,DER:0500'] }),
      'critical extension',
    ],
    [
      'a leaf that plays the CA',
      () => issueFrom(plant.issue('a', { subjectAltName: '' }), 'pump-1', { subjectAltName: '' }).cert,
      'a foreign certificate',
    ],
    ['self-signed', () => selfSignedPair('pump-1').cert, 'a foreign certificate'],
  ])('%s', (_what, pem, because) => {
    for (const authentication of ['certificate', 'any'] as const) {
      expect(prove(pem(), { authentication })).toMatchObject({
        allow: false,
        because: expect.stringContaining(because),
      });
    }
  });

  it('[RFC 4055, 3.1] one signed by RSASSA-PSS with SHA-1, written or left out; with SHA-256 it is let in', () => {
    const ca = issueFrom(plant.root, 'RSA', { ca: true, rsaBits: 2048, subjectAltName: '' });
    const cas = { plant: [plant.root.cert, ca.cert] };
    const signature = ['rsa_padding_mode:pss', 'rsa_pss_saltlen:digest'];
    const leaf = (digest: string) => issueFrom(ca, 'pump-1', { subjectAltName: '', digest, signature }).cert;
    expect(prove(leaf('sha256'), cas)).toMatchObject({ allow: true });
    expect(prove(leaf('sha1'), cas)).toMatchObject({ because: expect.stringContaining('MD5 or SHA-1') });
  });

  it('one that is not yet valid', () => {
    expect(prove(issue(), { laterMs: -2 * DAY_MS })).toMatchObject({
      because: expect.stringContaining('not yet valid'),
    });
  });

  it('one whose path has more than four certificates, and a chain of ten', () => {
    const four = chainOf(3);
    const leaf = issueFrom(four.last, 'pump-1', { subjectAltName: '' }).cert;
    expect(prove(leaf, { plant: four.cas })).toMatchObject({ allow: true });
    for (const length of [4, 9]) {
      const { cas, last } = chainOf(length);
      const far = issueFrom(last, 'pump-1', { subjectAltName: '' }).cert;
      expect(prove(far, { plant: cas })).toMatchObject({
        because: expect.stringContaining('more than 4 certificates'),
      });
    }
  });

  it('one below more CAs than a CA of its path allows', () => {
    const root = selfSignedPair('Strict');
    const narrow = issueFrom(root, 'Narrow', { ca: true, subjectAltName: '', pathLength: 0 });
    const below = issueFrom(narrow, 'Below', { ca: true, subjectAltName: '' });
    const set = [root.cert, narrow.cert, below.cert];
    const right = issueFrom(narrow, 'pump-1', { subjectAltName: '' }).cert;
    expect(prove(right, { plant: set })).toMatchObject({ allow: true });
    const wrong = issueFrom(below, 'pump-1', { subjectAltName: '' }).cert;
    expect(prove(wrong, { plant: set })).toMatchObject({
      because: expect.stringContaining('may not have 1 CAs below it'),
    });
  });

  it('one whose CA has ended, though it has not', () => {
    const root = selfSignedPair('Long');
    const short = issueFrom(root, 'Short', { ca: true, subjectAltName: '', days: 1 });
    const leaf = issueFrom(short, 'pump-1', { subjectAltName: '' }).cert;
    expect(prove(leaf, { plant: [root.cert, short.cert] })).toMatchObject({ allow: true });
    expect(prove(leaf, { plant: [root.cert, short.cert], laterMs: 2 * DAY_MS })).toMatchObject({
      because: expect.stringContaining('has expired'),
    });
  });

  it('one whose intermediate CA is not configured; an intermediate alone is enough', () => {
    expect(prove(issue(), { plant: [plant.root.cert] })).toMatchObject({
      because: expect.stringContaining('a foreign'),
    });
    expect(prove(issue(), { plant: [plant.issuing.cert] })).toMatchObject({ allow: true });
  });
});

describe('the name', () => {
  const names = (from: CertificateName['from'], rest: Omit<CertificateName, 'from'> = {}): Setting => ({
    name: { from, ...rest },
  });
  it.each<[string, CertificateName, IssueOptions]>([
    ['the common name', { from: 'cn' }, { subject: '/O=Plant/CN=pump-1' }],
    [
      'a DNS name',
      { from: 'san-dns', suffix: '.plant.example' },
      { subjectAltName: 'DNS:pump-1.plant.example,email:a@b' },
    ],
    ['a URI', { from: 'san-uri', prefix: 'urn:plant:' }, { subjectAltName: 'URI:urn:plant:pump-1,DNS:x' }],
    ['an address', { from: 'san-email', suffix: '@plant.example' }, { subjectAltName: 'email:pump-1@plant.example' }],
    ['the subject', { from: 'subject', prefix: 'O=Plant, CN=' }, { subject: '/O=Plant/CN=pump-1' }],
  ])('is read from %s', (_what, name, options) => {
    expect(prove(issue(options), { name })).toMatchObject({ identity: { name: 'pump-1' } });
  });

  it('is the beginning of the fingerprint', () => {
    const pem = issue();
    const fingerprint = new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
    expect(prove(pem, names('fingerprint'))).toMatchObject({ identity: { name: fingerprint.slice(0, 40) } });
  });

  it.each<[string, CertificateName['from'], IssueOptions]>([
    ['two common names', 'cn', { subject: '/CN=pump-1/CN=pump-2' }],
    ['no common name', 'cn', { subject: '/O=pump-1' }],
    ['two DNS names', 'san-dns', { subjectAltName: 'DNS:pump-1,DNS:pump-2' }],
    ['no DNS name', 'san-dns', { subjectAltName: 'URI:pump-1' }],
    ['two URIs', 'san-uri', { subjectAltName: 'URI:pump-1,URI:pump-1' }],
    ['another kind of name that quotes one', 'san-uri', { subjectAltName: '@names\n[names]\nDNS.1=x, URI:pump-1' }],
    ['a wildcard +', 'cn', { subject: '/CN=+' }],
    ['a wildcard #', 'cn', { subject: '/CN=#' }],
    ['two levels', 'cn', { subject: '/CN=pump-1\\/a' }],
    ['a DNS wildcard', 'san-dns', { subjectAltName: 'DNS:*.plant' }],
    ['a line break', 'cn', { subject: '/CN=pump-1\n' }],
    ['two parts in one', 'cn', { subject: '/OU=b+CN=pump-1' }],
    ['a name of 64', 'cn', { subject: `/CN=${'x'.repeat(64)}` }],
    ['a prefix that is missing', 'subject', { subject: '/CN=pump-1' }],
  ])('is refused with %s', (_what, from, options) => {
    expect(prove(issue(options), names(from))).toMatchObject({ allow: false });
  });

  it('is refused with a NUL in it, wherever OpenSSL shows it', () => {
    // UTF8String "pump-1", a NUL, "x": as some CAs could be brought to issue it.
    const pem = issue({ subject: '/CN=pump-1Zx' });
    const der = Buffer.from(derOf(pem));
    const at = der.lastIndexOf('pump-1Zx');
    expect(at).toBeGreaterThan(0);
    der[at + 6] = 0;
    expect(new X509Certificate(der).subject).not.toBe('CN=pump-1');
    const made = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    expect(prove(made)).toMatchObject({ allow: false });
  });
});
