// Bytes <-> lines: one JSON document per line, bounded before it is parsed. Knows nothing of what a line means.

import { AuthorityFault } from './faults.ts';

/** Bytes of one line without its newline, in both directions. */
export const LINE_BYTES_MAX = 65_536;

const NEWLINE = 0x0a;
const INITIAL_BYTES = 1024;

/** Cuts a stream of chunks into lines; holds at most LINE_BYTES_MAX bytes whatever the chunking. */
export class LineReader {
  #held = new Uint8Array(INITIAL_BYTES);
  #length = 0;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });

  /** True while part of a line has come and its end has not. */
  get partial(): boolean {
    return this.#length > 0;
  }

  /** Returns the lines that `chunk` completes; throws MOT-0426 for a line that is too long or not UTF-8. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#hold(chunk.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
    return lines;
  }

  #hold(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > LINE_BYTES_MAX) throw new AuthorityFault('MOT-0426', `a line is longer than ${LINE_BYTES_MAX} bytes`);
    if (length > this.#held.length) {
      const larger = new Uint8Array(Math.min(LINE_BYTES_MAX, Math.max(length, this.#held.length * 2)));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(part, this.#length);
    this.#length = length;
  }

  #take(): string {
    const bytes = this.#held.subarray(0, this.#length);
    this.#length = 0;
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw new AuthorityFault('MOT-0426', 'a line is not UTF-8');
    }
  }
}

/** One document as a line, newline included; throws MOT-0426 if the other side would refuse its length. */
export function encodeLine(document: unknown): string {
  const line = JSON.stringify(document);
  // A UTF-16 unit is at most 3 bytes of UTF-8: exact counting only where it can matter.
  const fits = line.length * 3 <= LINE_BYTES_MAX || new TextEncoder().encode(line).length <= LINE_BYTES_MAX;
  if (!fits) throw new AuthorityFault('MOT-0426', `the document is longer than ${LINE_BYTES_MAX} bytes`);
  return `${line}\n`;
}
