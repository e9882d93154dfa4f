// What was built and looked at under a throw-away key gets the CA's signature in place of that key's. The only place that asks
// a CA key to sign; where the key is, the issuer's function knows. RFC 5280, 4.1.1; RFC 5758, 3.2 (ecdsa-with-SHA256).

import type { KeyObject } from 'node:crypto';
import { AuthorityFault } from '../protocol/faults.ts';

export interface Issuer {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Where its revocation list is published, for the certificates it signs to say; missing = nowhere. */
  readonly crlUrl?: string;
  /** ECDSA with SHA-256 over the bytes: r and s as P1363 has them or as DER. */
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>;
}

/** The same document, a certificate or a CRL in DER, signed by the issuer; the caller verifies. */
export async function signAnew(draft: Uint8Array, issuer: Issuer): Promise<Buffer> {
  const signedPart = firstElement(Buffer.from(draft));
  const signature = derSignature(await issuer.sign(signedPart));
  return element(0x30, signedPart, ALGORITHM, element(0x03, Buffer.of(0), signature));
}

function derSignature(signature: Uint8Array): Buffer {
  const bytes = Buffer.from(signature);
  if (bytes.length === P1363_BYTES) {
    return element(0x30, integer(bytes.subarray(0, P1363_BYTES / 2)), integer(bytes.subarray(P1363_BYTES / 2)));
  }
  if (bytes[0] === 0x30 && bytes[1] === bytes.length - 2) return bytes;
  throw new AuthorityFault('MOT-0477', `it answered ${bytes.length} bytes that are no ECDSA signature on P-256`);
}

function integer(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const trimmed = bytes.subarray(start);
  return element(0x02, (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed);
}

function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const size: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256);
  return Buffer.concat([Buffer.of(tag, 0x80 | size.length, ...size), content]);
}

/** The first element of the outer SEQUENCE: the bytes a signature covers. */
function firstElement(der: Buffer): Buffer {
  const inner = der.subarray(contentLength(der).header);
  const { header, length } = contentLength(inner);
  return inner.subarray(0, header + length);
}

function contentLength(der: Buffer): { header: number; length: number } {
  const first = der[1] ?? 0;
  if (first < 0x80) return { header: 2, length: first };
  const bytes = first & 0x7f;
  return { header: 2 + bytes, length: der.readUIntBE(2, bytes) };
}

const P1363_BYTES = 64;
const ALGORITHM = Buffer.from('300a06082a8648ce3d040302', 'hex');
