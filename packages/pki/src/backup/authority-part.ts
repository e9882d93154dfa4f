// The authority's part of a backup: the CA with its keys, and the ledger. Lines of JSON: what it is, pieces of files in
// base64, and an end that counts them. Written here, encrypted before it leaves; read by read-part.ts.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { CA_FILES, GENERATIONS_NAME } from '../issue/ca.ts';
import { CA_DIRECTORY, type Generations } from '../issue/generations.ts';
import type { Ledger } from '../issue/ledger.ts';
import { readPrivateFile } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';

/** Below the pki directory, as are all names here. */
export const LEDGER_NAME = 'issued.jsonl';

/** Whether a file of this name belongs into it. */
export function isPartFile(name: string): boolean {
  const [directory = '', file = '', more] = name.split('/');
  if (file === '') return name === LEDGER_NAME || name === GENERATIONS_NAME;
  return more === undefined && CA_DIRECTORY.test(directory) && CA_FILES.some((one) => one === file);
}

/** Texts of the CAs that are in use, and of what says which those are; of one moment, whatever happens later. */
export async function readCaFiles(pki: string, { current, old }: Generations): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const directory of old === undefined ? [current] : [current, old.directory]) {
    for (const name of CA_FILES) texts.set(`${directory}/${name}`, await read(join(pki, directory, name)));
  }
  const generations = await readPrivateFile(join(pki, GENERATIONS_NAME));
  if (generations !== undefined) texts.set(GENERATIONS_NAME, generations);
  return texts;
}

async function read(path: string): Promise<string> {
  const text = await readPrivateFile(path);
  if (text === undefined) throw new AuthorityFault('MOT-0424', `${path} is missing`);
  return text;
}

/** Raised when lines change their meaning. */
export const PART_FORMAT = 1;

/** The plaintext; the ledger is as of the moment when its first chunk is wanted. */
export async function* authorityPart(
  files: ReadonlyMap<string, string>,
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
  for (const [name, text] of files) yield piece(name, Buffer.from(text));
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
