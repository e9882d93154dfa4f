// Every certificate ever issued, one JSON record a line in `<pki>/issued.jsonl`: written and synced before the certificate
// leaves. Also the index by device name.

import type { ProfileName } from '../profiles/profile.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { isNamedProfile } from '../protocol/names.ts';
import { LineFile } from './line-file.ts';
import type { SignedCertificate } from './sign.ts';

export interface IssuedRecord {
  readonly format: 1;
  /** ISO 8601, as are the next two times. */
  readonly issuedAt: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly profile: ProfileName;
  /** Common name; for a device its name. */
  readonly name: string;
  readonly alternativeNames: readonly string[];
  /** Lower-case hex, as is the SHA-256 of the DER. */
  readonly serial: string;
  readonly fingerprint: string;
  /** Common name of the issuer; what was issued before a CA was ever replaced does not say it. */
  readonly issuer?: string;
  readonly via: 'creation' | 'authority' | 'broker' | 'token' | 'approval' | 'renewal';
  readonly certificate: string;
}

export class Ledger {
  readonly #devices = new Map<string, IssuedRecord[]>();
  #lines: LineFile | undefined;
  #names: string[] | undefined;
  readonly #issuers = new Set<string>();
  #count = 0;
  #leaves = 0;

  /** Opens or creates the file and reads it whole; throws MOT-0423 if it is unsafe, MOT-0425 naming a damaged line. */
  static async open(path: string): Promise<Ledger> {
    const ledger = new Ledger();
    ledger.#lines = await LineFile.open(path, (line, where) => ledger.#index(parseRecord(line, where)));
    return ledger;
  }

  /** The file itself, for copies of it. */
  get lines(): LineFile {
    return this.#lines as LineFile;
  }

  /** Names of devices, gateways, stewards and administrators that have a certificate, in order. */
  get deviceNames(): readonly string[] {
    this.#names ??= [...this.#devices.keys()].sort();
    return this.#names;
  }

  /** Whether any certificate but the CAs' own was issued. */
  get hasLeaves(): boolean {
    return this.#leaves > 0;
  }

  /** Who issued them, as far as the records say. */
  get issuers(): ReadonlySet<string> {
    return this.#issuers;
  }

  /** Certificates ever issued, the CAs' own included. */
  get count(): number {
    return this.#count;
  }

  /** A device's records, oldest first; undefined if it has none. */
  device(name: string): readonly IssuedRecord[] | undefined {
    return this.#devices.get(name);
  }

  /** Durable when the promise resolves; MOT-0428 otherwise, and nothing of the record stays. One call at a time. */
  async append(record: IssuedRecord): Promise<void> {
    await this.lines.append(record);
    this.#index(record);
  }

  async close(): Promise<void> {
    await this.lines.close();
  }

  #index(record: IssuedRecord): void {
    this.#count += 1;
    if (isNamedProfile(record.profile)) {
      const records = this.#devices.get(record.name);
      if (records === undefined) {
        this.#devices.set(record.name, [record]);
        this.#names = undefined;
      } else records.push(record);
    }
    if (record.profile === 'root' || record.profile === 'issuing') return;
    this.#leaves += 1;
    if (record.issuer !== undefined) this.#issuers.add(record.issuer);
  }
}

/** The record of a certificate that was just signed. */
export function recordOf(certificate: SignedCertificate, via: IssuedRecord['via'], nowMs: number): IssuedRecord {
  const { plan } = certificate;
  return {
    format: 1,
    issuedAt: new Date(nowMs).toISOString(),
    notBefore: new Date(certificate.notBeforeMs).toISOString(),
    notAfter: new Date(certificate.notAfterMs).toISOString(),
    profile: plan.profile,
    name: plan.commonName,
    alternativeNames: plan.alternativeNames.map(({ type, value }) => `${type}:${value}`),
    serial: certificate.serial,
    fingerprint: certificate.fingerprint,
    issuer: certificate.issuer,
    via,
    certificate: certificate.pem,
  };
}

const TEXTS = ['issuedAt', 'notBefore', 'notAfter', 'profile', 'name', 'serial', 'fingerprint', 'certificate'] as const;

/** A line of the ledger; throws MOT-0425 with where it stands. */
export function parseRecord(line: string, where: string): IssuedRecord {
  let record: Partial<IssuedRecord> | null;
  try {
    record = JSON.parse(line);
  } catch {
    throw new AuthorityFault('MOT-0425', `${where}: not JSON`);
  }
  if (record?.format !== 1) throw new AuthorityFault('MOT-0425', `${where}: not a record of format 1`);
  const missing = TEXTS.find((field) => typeof record[field] !== 'string');
  if (missing !== undefined) throw new AuthorityFault('MOT-0425', `${where}: no ${missing}`);
  return record as IssuedRecord;
}
