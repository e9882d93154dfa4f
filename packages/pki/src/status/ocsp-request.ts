// The question to a responder about one certificate (RFC 6960, 4.1; RFC 9654), as DER.

import { createHash } from 'node:crypto';
import { loadOcsp } from './load-ocsp.ts';
import type { StatusIssuer } from './status-issuer.ts';

export interface OcspQuestion {
  readonly issuer: StatusIssuer;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  /** Unpredictable bytes that the answer has to repeat if it has any. */
  readonly nonce: Uint8Array;
}

export async function encodeOcspRequest({ issuer, serial, nonce }: OcspQuestion): Promise<Uint8Array> {
  const { asn1, ocsp, x509 } = await loadOcsp();
  const request = new ocsp.OCSPRequest({
    tbsRequest: new ocsp.TBSRequest({
      requestList: [
        new ocsp.Request({
          reqCert: new ocsp.CertID({
            hashAlgorithm: new x509.AlgorithmIdentifier({ algorithm: SHA1, parameters: null }),
            issuerNameHash: new asn1.OctetString(sha1(issuer.subject)),
            issuerKeyHash: new asn1.OctetString(sha1(issuer.keyBits)),
            serialNumber: exactly(integerBytes(serial)),
          }),
        }),
      ],
      requestExtensions: [
        new x509.Extension({
          extnID: NONCE,
          extnValue: new asn1.OctetString(asn1.AsnConvert.serialize(new asn1.OctetString(exactly(nonce)))),
        }),
      ],
    }),
  });
  return new Uint8Array(asn1.AsnConvert.serialize(request));
}

/** True if an answer's certificate is the one that was asked about. */
export function isAbout(
  asked: OcspQuestion,
  id: {
    readonly algorithm: string;
    readonly name: ArrayBuffer;
    readonly key: ArrayBuffer;
    readonly serial: ArrayBuffer;
  },
): boolean {
  const same = (one: ArrayBuffer, other: ArrayBuffer): boolean => Buffer.from(one).equals(Buffer.from(other));
  return (
    id.algorithm === SHA1 &&
    same(id.name, sha1(asked.issuer.subject)) &&
    same(id.key, sha1(asked.issuer.keyBits)) &&
    same(id.serial, exactly(integerBytes(asked.serial)))
  );
}

/** Names a CA and protects nothing: the answer is signed. Responders that prepare their answers know no other. */
function sha1(bytes: Uint8Array): ArrayBuffer {
  return exactly(createHash('sha1').update(bytes).digest());
}

/** The content of an INTEGER: positive, as short as it can be. */
function integerBytes(serial: string): Uint8Array {
  const bytes = Buffer.from(serial.length % 2 === 0 ? serial : `0${serial}`, 'hex');
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

function exactly(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

const SHA1 = '1.3.14.3.2.26';
export const NONCE = '1.3.6.1.5.5.7.48.1.2';
