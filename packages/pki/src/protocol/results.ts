// What the authority answers with: its CAs, what it issued, what it revoked. Times are ISO 8601, certificates PEM.

export interface CaInfo {
  /** SHA-256 of the root certificate's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly realm: string;
  readonly root: CertificateFacts;
  readonly issuing: CertificateFacts;
  /** Devices that have at least one certificate. */
  readonly devices: number;
}

/** Where a CA key is: readable in its file, in its file under a passphrase, or behind the signer. */
export type KeyPlace = 'file' | 'passphrase' | 'signer';

/** One root and its issuing CA. */
export interface CaGeneration {
  /** SHA-256 of the root certificate's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly root: CertificateFacts;
  readonly issuing: CertificateFacts;
  readonly rootKey: KeyPlace;
  readonly issuingKey: KeyPlace;
}

export interface CaDetails {
  readonly realm: string;
  /** Certifies devices. */
  readonly current: CaGeneration;
  /** The one it replaces, with how many devices have not moved yet; it certifies the broker until that is finished. */
  readonly old: (CaGeneration & { readonly until: string; readonly unmoved: number }) | null;
  /** Certificates ever issued. */
  readonly issued: number;
  readonly devices: number;
}

export interface CertificateFacts {
  readonly subject: string;
  /** `P-256`. */
  readonly keyType: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface IssuedDevice {
  readonly name: string;
  readonly realm: string;
  /** The leaf, PEM. */
  readonly certificate: string;
  /** The issuing CA, PEM: for who verifies the certificate with the root alone. The broker knows it. */
  readonly issuing: string;
  /** The root, PEM: the device's `ca.crt`; two while the CA is being replaced. */
  readonly root: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
}

export interface IssuedServer {
  readonly certificate: string;
  readonly issuing: string;
  readonly serial: string;
  readonly notAfter: string;
}

export interface TrustMaterial {
  /** PEM; while the CA is being replaced two of each, that of the broker's own certificate first. */
  readonly root: string;
  readonly issuing: string;
  /** The issuing CA that certifies the broker. */
  readonly serverIssuing: string;
  /** Of the root that the broker's own certificate leads to. */
  readonly fingerprint: string;
  /** Of every root that is trusted, that one first. */
  readonly trusted: readonly string[];
  readonly realm: string;
  /** While the CA is being replaced. */
  readonly overlap: { readonly until: string; readonly unmoved: number } | null;
}

/** One device and its latest certificate; times are ISO 8601. */
export interface DeviceSummary {
  readonly name: string;
  readonly serial: string;
  readonly fingerprint: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly issuedAt: string;
  /** Absent while it is not revoked. */
  readonly revokedAt?: string;
  /** Certificates ever issued under this name. */
  readonly certificates: number;
}

/** `count` of them, the first of which are named. */
export interface EndingDevices {
  readonly count: number;
  readonly devices: readonly { readonly name: string; readonly notAfter: string }[];
}

export interface DeviceDetails extends DeviceSummary {
  readonly realm: string;
  readonly certificate: string;
  /** The newest first, the latest included; at most 20. */
  readonly history: readonly { serial: string; notAfter: string; issuedAt: string; revokedAt?: string }[];
}

export interface RevokedDevice {
  readonly name: string;
  /** What was revoked now, lower-case hex; not what had been before. */
  readonly serials: readonly string[];
  /** Certificates of the device that are good all the same: by those it can still come. */
  readonly good: number;
  /** Who has read the feed up to this number knows of all of them. */
  readonly number: number;
}

export interface RevocationNews {
  /** How many revocations there ever were; to be asked with next. */
  readonly number: number;
  /** `superseded`: the device has another certificate instead. */
  readonly revoked: readonly { readonly serial: string; readonly name: string; readonly superseded: boolean }[];
  /** True if there are more behind these already. */
  readonly more: boolean;
}
