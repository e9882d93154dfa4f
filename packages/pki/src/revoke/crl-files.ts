// Revocation lists as they are published: one file for each issuing CA, DER (RFC 5280, 4.2.1.13), under the name that the
// certificates of that CA give.

import { crlName, issuerNameOf } from '../issue/ca.ts';
import { loadX509 } from '../x509.ts';

export interface CrlFile {
  readonly name: string;
  readonly der: Buffer;
}

/** From what the authority answers: one list after another, PEM. */
export async function crlFiles(pem: string): Promise<CrlFile[]> {
  const { X509Crl } = await loadX509();
  return [...pem.matchAll(BLOCK)].map(([, base64 = '']) => {
    const der = Buffer.from(base64, 'base64');
    return { name: crlName(issuerNameOf(new X509Crl(der).issuer)), der };
  });
}

const BLOCK = /-----BEGIN X509 CRL-----([^-]*)-----END X509 CRL-----/g;
