// The CA files of tls.clientCa: read, looked at as a whole, and turned into what listeners trust. A file that is no good names
// itself and changes nothing.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import { parseAuthority } from '@motte/broker/authorities';
import type { ForeignAuthority } from '@motte/broker/ports/trust';
import { caRealm } from '@motte/pki/protocol';
import { parseStatusIssuer } from '@motte/pki/status';
import type { ClientCaSettings } from '../config/settings.ts';
import { said } from '../data/said.ts';

export interface ClientAuthority extends ForeignAuthority {
  readonly realm: string;
  /** Each of its certificates: roots and what stands between them and devices. */
  readonly certificates: readonly string[];
}

/** Throws MOT-0412. `ownCa` holds the certificates of Motte's own authority, which speaks for no other realm. */
export function readClientAuthorities(files: readonly ClientCaSettings[], ownCa: string): ClientAuthority[] {
  const taken = new Map(splitPem(ownCa).map((pem) => [fingerprintOf(pem), 'Motte itself']));
  return files.map(({ id, file, names, roles }) => {
    const certificates = splitPem(readText(id, file));
    if (certificates.length === 0) throw refused(id, `${file} holds no certificate in PEM`);
    if (certificates.length > CERTIFICATES_MAX)
      throw refused(id, `${file} holds more than ${CERTIFICATES_MAX} certificates`);
    for (const pem of certificates) {
      try {
        parseAuthority(pem, true);
        parseStatusIssuer(pem);
      } catch (cause) {
        throw refused(id, `${file}: ${(cause as Error).message}`);
      }
      const owner = taken.get(fingerprintOf(pem));
      if (owner !== undefined) throw refused(id, `${file}: a certificate in it speaks for ${owner} already`);
      taken.set(fingerprintOf(pem), id);
    }
    const parsed = certificates.map((pem) => new X509Certificate(pem));
    // OpenSSL goes up to a root in the handshake, and finds none elsewhere.
    const open = parsed.find((one) => !parsed.some((ca) => one.checkIssued(ca) && one.verify(ca.publicKey)));
    if (open !== undefined) throw refused(id, `${file}: the CA that issued ${lineOf(open.subject)} is missing in it`);
    const limits = { ...(names === undefined ? {} : { names }), ...(roles === undefined ? {} : { roles }) };
    return { realm: caRealm(id), certificates, ...limits };
  });
}

/** The certificates of a PEM text. */
export function splitPem(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((pem) => `${pem}\n`);
}

function lineOf(name: string): string {
  return name
    .replaceAll('\n', ', ')
    .replace(/[^ -~]/g, '?')
    .slice(0, NAME_SHOWN);
}

function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

function readText(id: string, file: string): string {
  try {
    const text = readFileSync(file);
    if (text.length > FILE_BYTES_MAX) throw new Error(`larger than ${FILE_BYTES_MAX} bytes`);
    return text.toString('latin1');
  } catch (fault) {
    throw refused(id, `${file}: ${said(fault)}`);
  }
}

function refused(id: string, why: string): MotteError {
  return new MotteError('MOT-0412', `${id}: ${why}`);
}

const FILE_BYTES_MAX = 1024 * 1024;
const CERTIFICATES_MAX = 32;
const NAME_SHOWN = 120;
