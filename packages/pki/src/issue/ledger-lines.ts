// The ledger's bytes as records, in whatever chunks they come.

import { AuthorityFault } from '../protocol/faults.ts';
import { type IssuedRecord, parseRecord } from './ledger.ts';

export class LedgerLines {
  readonly #name: string;
  #rest: Buffer = Buffer.alloc(0);
  /** Records so far. */
  count = 0;

  /** `name` stands in messages. */
  constructor(name: string) {
    this.#name = name;
  }

  /** The records that a chunk completes; throws MOT-0425 for one that is none. */
  push(chunk: Uint8Array): IssuedRecord[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const records: IssuedRecord[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.count += 1;
      records.push(parseRecord(bytes.toString('utf8', start, end), `${this.#name}:${this.count}`));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return records;
  }

  /** No more comes; a line that is not whole is MOT-0425. */
  finish(): void {
    if (this.#rest.length > 0) throw new AuthorityFault('MOT-0425', `${this.#name}:${this.count + 1}: it is not whole`);
  }
}

const NEWLINE = 0x0a;
