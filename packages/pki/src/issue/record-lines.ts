// The bytes of a list as its records, in whatever chunks they come.

import { AuthorityFault } from '../protocol/faults.ts';

export class RecordLines<T> {
  readonly #name: string;
  readonly #parse: (line: string, where: string) => T;
  #rest: Buffer = Buffer.alloc(0);
  /** Records so far. */
  count = 0;

  /** `name` stands in messages; `parse` throws for a line that is no record. */
  constructor(name: string, parse: (line: string, where: string) => T) {
    this.#name = name;
    this.#parse = parse;
  }

  /** The records that a chunk completes; throws what `parse` throws. */
  push(chunk: Uint8Array): T[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const records: T[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.count += 1;
      records.push(this.#parse(bytes.toString('utf8', start, end), `${this.#name}:${this.count}`));
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
