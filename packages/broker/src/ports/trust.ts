// Whose certificates prove an identity here, and which realm each issuer speaks for.

import type { Refusal } from './verdict.ts';

export interface TrustedIssuer {
  /** One CA certificate, PEM; it signs leaf certificates itself (an issuing CA) or only other CAs (a root). */
  readonly pem: string;
  /** The realm of the names it proves: `ca:ID`. */
  readonly realm: string;
}

/** What a foreign authority may do. */
export interface ForeignAuthority {
  /** Names, or beginnings as `BEGINNING*`; absent = any name of its realm. */
  readonly names?: readonly string[];
  /** Whoever it certifies is let in with these roles; absent = only those that are registered. */
  readonly roles?: readonly string[];
}

export interface TrustFacts {
  /** Raised whenever `issuers` changes; what was proven under another number is proven anew. */
  readonly number: number;
  readonly issuers: readonly TrustedIssuer[];
  /** By realm; read at every CONNECT. */
  readonly foreign?: ReadonlyMap<string, ForeignAuthority>;
  /** Certificates taken back; asked at every CONNECT, and of live connections whenever there is news. */
  readonly revoked?: RevokedCertificates;
}

export interface RevokedCertificate {
  /** True if its holder has another certificate instead: it may come back by that one and find its session. */
  readonly superseded: boolean;
}

export interface RevokedCertificates {
  /** By `revokedKey`, and by the CA that signed it, as the SHA-256 of that one's DER in lower-case hex. */
  find(key: string, issuer: string): RevokedCertificate | undefined;
  /** Why certificates of that CA cannot be let in now, as its list is too old to say; undefined = they can. */
  staleOf?(issuer: string): string | undefined;
  /**
   * For a certificate that is about to be let in and whose status somebody else has to say first: why it is not let in, once that is
   * known. Undefined at once where nobody has to be asked, or it is known.
   */
  ask?(certificate: CertificateInUse): Promise<Refusal | undefined> | undefined;
}

/** What a certificate is taken back by, within a realm. */
export interface CertificateId {
  /** Hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the DER of the CA that signed it, lower-case hex. */
  readonly issuer: string;
}

/** A certificate that proved a connection. */
export interface CertificateInUse extends CertificateId {
  readonly realm: string;
  readonly name: string;
  readonly der: Uint8Array;
}

/** A realm and a serial number, however that is spelt in hexadecimal. */
export function revokedKey(realm: string, serial: string): string {
  return `${realm} ${serial.toUpperCase().replace(/^0+(?=.)/, '')}`;
}

/** The serial number in such a key, upper-case hexadecimal without leading zeros. */
export function serialOfKey(key: string): string {
  return key.slice(key.lastIndexOf(' ') + 1);
}
