// Whose certificates prove an identity here, and which realm each issuer speaks for.

export interface TrustedIssuer {
  /** One CA certificate, PEM; it signs leaf certificates itself (an issuing CA) or only other CAs (a root). */
  readonly pem: string;
  /** The realm of the names it proves: `ca:ID`. */
  readonly realm: string;
}

export interface TrustFacts {
  /** Raised whenever `issuers` changes; what was proven under another number is proven anew. */
  readonly number: number;
  readonly issuers: readonly TrustedIssuer[];
  /** Certificates taken back, as `REALM SERIAL`, the serial in upper-case hexadecimal; asked at every CONNECT. */
  readonly revoked?: ReadonlySet<string>;
}
