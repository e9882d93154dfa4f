// Lists that were fetched, kept for the next start: until then the server may be out of reach. What is read back is judged
// like any other list, so nothing here has to be believed.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export class ListCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What was fetched last from there; undefined if nothing was, or it cannot be read. */
  async read(url: string): Promise<Buffer | undefined> {
    return readFile(this.#pathOf(url)).catch(() => undefined);
  }

  /** Whole or not at all. Rejects with the system's error. */
  async write(url: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = this.#pathOf(url);
    await writeFile(`${path}.new`, bytes, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  #pathOf(url: string): string {
    return join(this.#directory, `${createHash('sha256').update(url).digest('hex').slice(0, NAME_DIGITS)}.crl`);
  }
}

const NAME_DIGITS = 32;
