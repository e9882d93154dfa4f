// The broker's answer to a request for a certificate: read as untrusted text, and looked at before it is written anywhere.

import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { MotteError } from '@motte/admin/errors';
import { deviceNameOf, groupFingerprint } from '@motte/pki/protocol';
import { type Answer, fingerprintOf, splitPem } from './exchange.ts';

export interface Issued {
  readonly name: string;
  /** PEM. */
  readonly certificate: string;
  /** What to trust from now on: the pinned root, and while the CA is being replaced the next one beside it. */
  readonly ca: string;
  readonly notAfter: string;
}

export interface Expected {
  readonly url: string;
  /** The pinned root, PEM. */
  readonly ca: string;
  readonly key: KeyObject;
  readonly name: string;
}

/** The certificate for our key and name; MOT-0643 to MOT-0645, or the broker's own words where it says what was wrong. */
export function readIssued({ status, body }: Answer, expected: Expected): Issued {
  const answer = parse(body);
  if (status === 202) {
    const { id = '', fingerprint = '' } = answer;
    const what = `request ${id}, key ${groupFingerprint(fingerprint)}`;
    throw new MotteError('MOT-0645', what, {
      remedy: `compare the fingerprint with \`motte device requests\` on the broker, approve it there with \`motte device approve ${id}\`, and run this command again`,
    });
  }
  if (status !== 200) throw new MotteError('MOT-0644', `${answer['why'] ?? `status ${status}`}`);
  const { certificate = '', issuing = '', root = '' } = answer;
  try {
    const [leaf, between] = [certificate, issuing].map((pem) => new X509Certificate(pem));
    const roots = splitPem(root).map((pem) => new X509Certificate(pem));
    if (leaf === undefined || between === undefined) throw new TypeError('no certificate');
    const pinned = fingerprintOf(expected.ca);
    if (!roots.some((one) => fingerprintOf(one.toString()) === pinned)) throw new TypeError('it names another root');
    if (!roots.some((one) => between.verify(one.publicKey))) throw new TypeError('its issuer is not of its CA');
    if (!leaf.verify(between.publicKey)) throw new TypeError('the certificate is not of its issuer');
    if (!leaf.publicKey.equals(createPublicKey(expected.key)))
      throw new TypeError('the certificate is for another key');
    const name = deviceNameOf(leaf);
    if (name !== expected.name) throw new TypeError(`the certificate is for ${name ?? 'no device'}`);
    const ca = roots.map((one) => one.toString()).join('');
    return { name, certificate: leaf.toString(), ca, notAfter: new Date(leaf.validTo).toISOString() };
  } catch (cause) {
    throw new MotteError('MOT-0643', `${expected.url}: ${(cause as Error).message}`, { cause });
  }
}

function parse(body: string): Readonly<Record<string, string>> {
  try {
    const document = JSON.parse(body) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(document).filter(([, value]) => typeof value === 'string')) as Record<
      string,
      string
    >;
  } catch {
    return {};
  }
}
