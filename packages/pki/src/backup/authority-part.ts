// The authority's part of a backup: the CA with its keys, and the ledger. Lines of JSON: what it is, pieces of files in
// base64, and an end that counts them. Written here, encrypted before it leaves; read by read-part.ts.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { CA_FILES } from '../issue/ca.ts';
import type { Ledger } from '../issue/ledger.ts';
import { readPrivateFile } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';

/** Names below the pki directory, in the order in which they are written. */
export const LEDGER_NAME = 'issued.jsonl';
export const PART_FILES: readonly string[] = [...CA_FILES.map((name) => `ca/${name}`), LEDGER_NAME];
/** Raised when lines change their meaning. */
export const PART_FORMAT = 1;

/** The plaintext, as of the moment when its first chunk is wanted. */
export async function* authorityPart(
  pki: string,
  ledger: Ledger,
  facts: { readonly id: string; readonly ca: string },
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  // Appended to only: what it holds now stays as it is.
  const ledgerBytes = ledger.bytes;
  yield line({ part: 'authority', format: PART_FORMAT, ...facts });
  const piece = (file: string, content: Buffer): Uint8Array => {
    hash.update(content);
    bytes += content.length;
    return line({ file, base64: content.toString('base64') });
  };
  for (const name of CA_FILES) {
    const text = await readPrivateFile(join(pki, 'ca', name));
    if (text === undefined) throw new AuthorityFault('MOT-0424', `${join(pki, 'ca', name)} is missing`);
    yield piece(`ca/${name}`, Buffer.from(text));
  }
  for (let at = 0; at < ledgerBytes; at += PIECE_BYTES) {
    yield piece(LEDGER_NAME, await ledger.read(at, Math.min(PIECE_BYTES, ledgerBytes - at)));
  }
  yield line({ end: true, bytes, sha256: hash.digest('hex') });
}

function line(document: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(document)}\n`);
}

/** In base64 it must fit into a line as the protocol's reader takes it. */
const PIECE_BYTES = 32 * 1024;
