// A file of records, one a line, that only grows: a line is on the disk before anybody hears of it. A torn last line is a
// record that nobody heard of, and is cut off. What the lines mean is their owner's business.

import { constants, promises as fs } from 'node:fs';
import { assertOwn, errno, unsafe, unwritable } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';

const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
const NEWLINE = 0x0a;

export class LineFile {
  readonly #path: string;
  readonly #file: fs.FileHandle;
  #bytes = 0;
  #broken = false;

  private constructor(path: string, file: fs.FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens or creates the file and hands every line to `take`, with where it stands; MOT-0423 if it is unsafe. */
  static async open(path: string, take: (line: string, where: string) => void): Promise<LineFile> {
    let file: fs.FileHandle;
    try {
      file = await fs.open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    } catch (fault) {
      throw unsafe(path, errno(fault) === 'ELOOP' ? 'is a symbolic link' : fault);
    }
    try {
      const lines = new LineFile(path, file);
      await lines.#load(take);
      return lines;
    } catch (fault) {
      await file.close();
      throw fault;
    }
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

  /** Durable when the promise resolves; MOT-0428 otherwise, and nothing of the records stays. One call at a time. */
  async append(...records: readonly object[]): Promise<void> {
    if (this.#broken) throw new AuthorityFault('MOT-0428', `${this.#path} could not be repaired after a failed write`);
    const lines = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    try {
      await this.#file.appendFile(lines);
      await this.#file.datasync();
    } catch (fault) {
      await this.#file.truncate(this.#bytes).catch(() => {
        this.#broken = true;
      });
      throw unwritable(this.#path, fault);
    }
    this.#bytes += lines.length;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #load(take: (line: string, where: string) => void): Promise<void> {
    const facts = await this.#file.stat();
    if (!facts.isFile()) throw unsafe(this.#path, 'is not a file');
    assertOwn(this.#path, facts);
    const bytes = await this.#file.readFile();
    let start = 0;
    let number = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      number += 1;
      take(bytes.toString('utf8', start, end), `${this.#path}:${number}`);
      start = end + 1;
    }
    if (start < bytes.length) await this.#file.truncate(start);
    this.#bytes = start;
  }
}
