// Every certificate ever issued, one JSON record a line in `<pki>/issued.jsonl`: written and synced before the certificate
// leaves. Append-only; a torn last line is a certificate that never left, and is cut off. Also the index by device name.

import { constants, promises as fs } from 'node:fs';
import { assertOwn, errno, unsafe, unwritable } from '../private-files.ts';
import type { ProfileName } from '../profiles/profile.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { isNamedProfile } from '../protocol/names.ts';
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

const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
const NEWLINE = 0x0a;

export class Ledger {
  readonly #path: string;
  readonly #file: fs.FileHandle;
  readonly #devices = new Map<string, IssuedRecord[]>();
  #names: string[] | undefined;
  readonly #issuers = new Set<string>();
  #count = 0;
  #leaves = 0;
  #bytes = 0;
  #broken = false;

  private constructor(path: string, file: fs.FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens or creates the file and reads it whole; throws MOT-0423 if it is unsafe, MOT-0425 naming a damaged line. */
  static async open(path: string): Promise<Ledger> {
    let file: fs.FileHandle;
    try {
      file = await fs.open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    } catch (fault) {
      throw unsafe(path, errno(fault) === 'ELOOP' ? 'is a symbolic link' : fault);
    }
    try {
      const ledger = new Ledger(path, file);
      await ledger.#load();
      return ledger;
    } catch (fault) {
      await file.close();
      throw fault;
    }
  }

  /** Names of devices, and of gateways and stewards, that have a certificate, in order. */
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

  /** Bytes of all records: what is behind them is no record, what is before them stays. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the file from a place that is known to be whole. */
  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await this.#file.read(buffer, 0, length, at);
    if (bytesRead !== length) throw new AuthorityFault('MOT-0425', `${this.#path}: it became shorter`);
    return buffer;
  }

  /** A device's records, oldest first; undefined if it has none. */
  device(name: string): readonly IssuedRecord[] | undefined {
    return this.#devices.get(name);
  }

  /** Durable when the promise resolves; MOT-0428 otherwise, and nothing of the record stays. One call at a time. */
  async append(record: IssuedRecord): Promise<void> {
    if (this.#broken) throw new AuthorityFault('MOT-0428', `${this.#path} could not be repaired after a failed write`);
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      await this.#file.appendFile(line);
      await this.#file.datasync();
    } catch (fault) {
      await this.#file.truncate(this.#bytes).catch(() => {
        this.#broken = true;
      });
      throw unwritable(this.#path, fault);
    }
    this.#bytes += line.length;
    this.#index(record);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #load(): Promise<void> {
    const facts = await this.#file.stat();
    if (!facts.isFile()) throw unsafe(this.#path, 'is not a file');
    assertOwn(this.#path, facts);
    const bytes = await this.#file.readFile();
    let start = 0;
    let number = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      number += 1;
      this.#index(parseRecord(bytes.toString('utf8', start, end), `${this.#path}:${number}`));
      start = end + 1;
    }
    if (start < bytes.length) await this.#file.truncate(start);
    this.#bytes = start;
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
