import { beforeAll, describe, expect, it } from 'vitest';
import { createTestAuthority, type Pair, type TestAuthority } from '../../../../test/fixtures/certificates.ts';
import { type Candidate, candidateOf, chooseCertificate } from './certificate-choice.ts';
import type { ClientHello } from './client-hello.ts';

const MODERN: ClientHello = {
  versions: [0x0304, 0x0303],
  cipherSuites: [0x1301, 0xc02b, 0xc02f],
  groups: [29, 23],
  signatures: [0x0403, 0x0804, 0x0401],
  serverName: undefined,
  alpn: [],
};
/** TLS 1.2 with RSA alone, as old controllers have it. */
const RSA_ONLY: ClientHello = { ...MODERN, versions: [0x0303], cipherSuites: [0xc02f], signatures: [0x0401] };

let authority: TestAuthority;
let candidates: readonly Candidate[];
let byName: Pair;

beforeAll(() => {
  authority = createTestAuthority('Plant');
  const named = { extendedKeyUsage: 'serverAuth', subjectAltName: 'DNS:broker.plant.example,DNS:*.line.example' };
  byName = authority.issue('second', named);
  const rsa = authority.issue('third', { ...named, rsaBits: 2048 });
  candidates = [
    candidateOf(authority.server()),
    candidateOf(byName),
    candidateOf({ ...authority.server(), names: ['mqtt.example', '*.gate.example'] }),
    candidateOf({ ...rsa, names: [] }),
  ];
});

const asking = (serverName: string, hello = MODERN): ClientHello => ({ ...hello, serverName });

describe('the server certificate', () => {
  it.each([
    ['no name', undefined, 0],
    ['a name of the default one', 'localhost', 0],
    ['a name that none has', 'elsewhere.example', 0],
    ['an address, which is no name', '127.0.0.1', 0],
    ['a name that a further one states', 'broker.plant.example', 1],
    ['the same in other letters', 'Broker.PLANT.example', 1],
    ['one label in place of its star', 'a.line.example', 1],
    ['two labels there', 'a.b.line.example', 0],
    ['a name that the configuration gives it', 'mqtt.example', 2],
    ['one label in place of that star', 'x.gate.example', 2],
    ['no label there', '.gate.example', 0],
    ['a name with that one inside', 'mqtt.example.evil.example', 0],
  ])('for %s', (_what, serverName, expected) => {
    const hello = serverName === undefined ? MODERN : asking(serverName);
    expect(chooseCertificate(hello, candidates)).toBe(expected);
  });

  it('is one that the client can use: RSA where elliptic curves are unknown, whatever it asks for', () => {
    expect(chooseCertificate(RSA_ONLY, candidates)).toBe(3);
    expect(chooseCertificate(asking('broker.plant.example', RSA_ONLY), candidates)).toBe(3);
    expect(chooseCertificate({ ...MODERN, signatures: [0x0804], cipherSuites: [0x1301] }, candidates)).toBe(3);
    // TLS 1.3 is what it will get, and PKCS #1 is no signature there.
    expect(chooseCertificate({ ...MODERN, signatures: [0x0401] }, candidates)).toBe(0);
    // Elliptic suites alone are not enough: the curve of the key has to be known, and a way to sign with it.
    expect(chooseCertificate({ ...MODERN, versions: [0x0303], groups: [29] }, candidates)).toBe(3);
    expect(chooseCertificate({ ...MODERN, versions: [0x0303], signatures: [] }, candidates)).toBe(0);
  });

  it('is the one asked for when nothing will do, so that the refusal is about what was asked', () => {
    const hopeless = { ...RSA_ONLY, cipherSuites: [0x002f] };
    expect(chooseCertificate(hopeless, candidates)).toBe(0);
    expect(chooseCertificate(asking('broker.plant.example', hopeless), candidates)).toBe(1);
  });

  it('is chosen among several kinds of key for one name', () => {
    const both = [
      candidateOf(authority.server()),
      candidateOf({ ...byName, names: ['a.example'] }),
      candidateOf({ ...authority.issue('r', { rsaBits: 2048 }), names: ['a.example'] }),
    ];
    expect(chooseCertificate(asking('a.example'), both)).toBe(1);
    expect(chooseCertificate(asking('a.example', RSA_ONLY), both)).toBe(2);
  });
});
