// CAs with name constraints (RFC 5280, 4.2.1.10), made by OpenSSL's own program: none is trusted, whatever it constrains, so no
// certificate below one proves anything.

import { beforeAll, expect, it } from 'vitest';
import { issueFrom, type Pair, selfSignedPair } from '../../../../test/fixtures/certificates.ts';
import { Authorities, parseAuthority } from './authorities.ts';

let root: Pair;
beforeAll(() => {
  root = selfSignedPair('Plant');
});

const constrained = (name: string, constraints: string): Pair =>
  issueFrom(root, name, { ca: true, subjectAltName: '', extensions: [`nameConstraints=${constraints}`] });

it.each([
  ['dNSName', 'critical,permitted;DNS:plant.example'],
  ['rfc822Name', 'critical,excluded;email:.example.com'],
  ['URI', 'critical,permitted;URI:.plant.example'],
  ['iPAddress', 'critical,excluded;IP:10.0.0.0/255.0.0.0'],
  ['several forms', 'critical,permitted;DNS:plant.example,excluded;email:.example.com'],
  // A CA must mark it critical. One that did not meant to constrain all the same.
  ['dNSName without being critical', 'permitted;DNS:plant.example'],
])('[RFC 5280, 4.2.1.10] a CA with constraints on %s is refused by name, with what to do', (form, constraints) => {
  const { cert } = constrained(`Line of ${form}`, constraints);
  const refused = new RegExp(`^CN=Line of ${form} has name constraints, which are not read here: use \`names\`$`);
  expect(() => parseAuthority(cert, true)).toThrow(refused);
  expect(() => new Authorities([{ pem: cert, realm: 'ca:plant' }])).toThrow(refused);
});

it('[RFC 5280, 4.2.1.10] a CA without them is taken', () => {
  const { cert } = issueFrom(root, 'Line', { ca: true, subjectAltName: '' });
  expect(() => parseAuthority(cert, true)).not.toThrow();
});
