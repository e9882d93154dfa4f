// Every certificate ever taken back, one JSON record a line in `<pki>/revoked.jsonl`: written and synced before anybody is
// told that it is. Nothing is ever taken out again: a revoked certificate stays revoked until its own end.

import { LineFile } from '../issue/line-file.ts';
import { AuthorityFault } from '../protocol/faults.ts';

export interface RevokedRecord {
  readonly format: 1;
  /** ISO 8601, as is `notAfter`: the certificate's own end. */
  readonly revokedAt: string;
  readonly notAfter: string;
  /** The device that it was issued to. */
  readonly name: string;
  /** Lower-case hex. */
  readonly serial: string;
  readonly reason: RevocationReason;
}

/** RFC 5280, 5.3.1, by its names there; what Motte has no use for is left out. */
export const REVOCATION_REASONS = ['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation'] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

export class Revocations {
  readonly #records: RevokedRecord[] = [];
  readonly #bySerial = new Map<string, RevokedRecord>();
  readonly #waiting = new Set<() => void>();
  #lines: LineFile | undefined;

  /** Opens or creates the file and reads it whole; throws MOT-0423 if it is unsafe, MOT-0466 naming a damaged line. */
  static async open(path: string): Promise<Revocations> {
    const revocations = new Revocations();
    revocations.#lines = await LineFile.open(path, (line, where) => revocations.#index(parseRevoked(line, where)));
    return revocations;
  }

  /** The file itself, for copies of it. */
  get lines(): LineFile {
    return this.#lines as LineFile;
  }

  /** How many there ever were: it only rises, and whoever has read up to one has all before it. */
  get number(): number {
    return this.#records.length;
  }

  /** Those behind the first `number`, at most `max`. */
  after(number: number, max: number): readonly RevokedRecord[] {
    return this.#records.slice(number, number + max);
  }

  /** Those whose own end is still to come. */
  unexpired(nowMs: number): readonly RevokedRecord[] {
    return this.#records.filter(({ notAfter }) => Date.parse(notAfter) > nowMs);
  }

  find(serial: string): RevokedRecord | undefined {
    return this.#bySerial.get(serial);
  }

  /** Durable, all of them or none, when the promise resolves; MOT-0428. One call at a time. */
  async append(records: readonly RevokedRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.lines.append(...records);
    for (const record of records) this.#index(record);
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when there is one behind `number`, when `ms` have passed, or when this is closed. */
  grown(number: number, ms: number): Promise<void> {
    if (this.number > number) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  async close(): Promise<void> {
    for (const wake of [...this.#waiting]) wake();
    await this.lines.close();
  }

  #index(record: RevokedRecord): void {
    // A record that a restore brought in twice says nothing new.
    if (this.#bySerial.has(record.serial)) return;
    this.#records.push(record);
    this.#bySerial.set(record.serial, record);
  }
}

const TEXTS = ['revokedAt', 'notAfter', 'name', 'serial'] as const;

/** A line of the file; throws MOT-0466 with where it stands. */
export function parseRevoked(line: string, where: string): RevokedRecord {
  let record: Partial<RevokedRecord> | null;
  try {
    record = JSON.parse(line);
  } catch {
    throw new AuthorityFault('MOT-0466', `${where}: not JSON`);
  }
  if (record?.format !== 1) throw new AuthorityFault('MOT-0466', `${where}: not a record of format 1`);
  const missing = TEXTS.find((field) => typeof record[field] !== 'string');
  if (missing !== undefined) throw new AuthorityFault('MOT-0466', `${where}: no ${missing}`);
  if (!isRevocationReason(record.reason)) throw new AuthorityFault('MOT-0466', `${where}: no reason`);
  return record as RevokedRecord;
}

export function isRevocationReason(text: unknown): text is RevocationReason {
  return (REVOCATION_REASONS as readonly unknown[]).includes(text);
}
