// A CA as lists and answers about its certificates need it: its name and key as bytes, and whether it may sign lists.

import { type KeyObject, X509Certificate } from 'node:crypto';
import { bitsOf, type Element, elementAt, elementsOf, expectTag, fewOf, oidText, TAG } from './der.ts';

export interface StatusIssuer {
  readonly certificate: X509Certificate;
  /** SHA-256 of its DER, lower-case hex. */
  readonly fingerprint: string;
  readonly key: KeyObject;
  /** For people: printable, bounded. */
  readonly name: string;
  /** Its subject, DER. */
  readonly subject: Uint8Array;
  /** The bits of its public key without tag, length and unused bits. */
  readonly keyBits: Uint8Array;
  /** Upper-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** keyUsage is absent or has cRLSign (RFC 5280, 6.3.3 f). */
  readonly maySignLists: boolean;
}

/** Reads a certificate, PEM or DER; throws what X509Certificate throws. */
export function parseStatusIssuer(certificate: string | Uint8Array): StatusIssuer {
  const parsed = new X509Certificate(certificate);
  const der = parsed.raw;
  const parts = partsOf(der);
  // After version and serial number: signature, issuer, validity, subject, key.
  const subject = expectTag(parts[5], TAG.sequence);
  const [, bits] = fewOf(der, expectTag(parts[6], TAG.sequence), 2);
  const usage = keyUsageOf(der, parts);
  return {
    certificate: parsed,
    fingerprint: parsed.fingerprint256.replaceAll(':', '').toLowerCase(),
    key: parsed.publicKey,
    name: nameText(parsed.subject),
    subject: der.subarray(subject.at, subject.to),
    keyBits: bitsOf(der, bits),
    serial: parsed.serialNumber.toUpperCase().replace(/^0+(?=.)/, ''),
    maySignLists: usage === undefined || (usage & CRL_SIGN) !== 0,
  };
}

/** A name on one line. */
export function nameText(name: string | undefined): string {
  return (name ?? 'a CA without a name')
    .replaceAll('\n', ', ')
    .replace(/[^ -~]/g, '?')
    .slice(0, NAME_SHOWN);
}

/** What is signed of a certificate, part by part; the version is there, or nothing would have an extension. */
function partsOf(der: Uint8Array): Element[] {
  const [toBeSigned] = fewOf(der, elementAt(der, 0, der.length), 3);
  const parts = fewOf(der, expectTag(toBeSigned, TAG.sequence), PARTS_MAX);
  expectTag(parts[0], TAG.context0);
  return parts;
}

function keyUsageOf(der: Uint8Array, parts: readonly Element[]): number | undefined {
  const holder = parts.find(({ tag }) => tag === TAG.context3);
  if (holder === undefined) return undefined;
  for (const extension of elementsOf(der, elementAt(der, holder.from, holder.to))) {
    const [id, ...rest] = fewOf(der, extension, 3);
    if (oidText(der, id) !== KEY_USAGE) continue;
    const value = expectTag(rest.at(-1), TAG.octetString);
    const bits = expectTag(elementAt(der, value.from, value.to), TAG.bitString);
    return der[bits.from + 1] ?? 0;
  }
  return undefined;
}

/** RFC 5280, 4.1. */
const PARTS_MAX = 10;
const KEY_USAGE = '2.5.29.15';
/** Bit 6 of the first byte. */
const CRL_SIGN = 0x02;
const NAME_SHOWN = 120;
