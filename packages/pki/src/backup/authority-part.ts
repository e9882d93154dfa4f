// The authority's part of a backup: the CA with its keys, and the lists of what was issued and what was revoked. Lines of JSON: what it is, pieces of files in
// base64, and an end that counts them. Written here, encrypted before it leaves; read by read-part.ts.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SETTINGS_NAME } from '../authority/settings.ts';
import { CA_FILES, GENERATIONS_NAME } from '../issue/ca.ts';
import { CA_DIRECTORY, type Generations } from '../issue/generations.ts';
import type { LineFile } from '../issue/line-file.ts';
import { readPrivateFile } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';

/** Below the pki directory, as are all names here. */
export const LEDGER_NAME = 'issued.jsonl';
export const REVOKED_NAME = 'revoked.jsonl';

/** Whether a file of this name belongs into it. */
export function isPartFile(name: string): boolean {
  const [directory = '', file = '', more] = name.split('/');
  if (file === '') return [LEDGER_NAME, REVOKED_NAME, GENERATIONS_NAME, SETTINGS_NAME].includes(name);
  return more === undefined && CA_DIRECTORY.test(directory) && CA_FILES.some((one) => one === file);
}

/** Texts of the CAs that are in use, of what says which those are and where their keys are; of one moment, whatever happens later. */
export async function readCaFiles(pki: string, { current, old }: Generations): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const directory of old === undefined ? [current] : [current, old.directory]) {
    for (const name of CA_FILES) texts.set(`${directory}/${name}`, await read(join(pki, directory, name)));
  }
  for (const name of [GENERATIONS_NAME, SETTINGS_NAME]) {
    const text = await readPrivateFile(join(pki, name));
    if (text !== undefined) texts.set(name, text);
  }
  return texts;
}

async function read(path: string): Promise<string> {
  const text = await readPrivateFile(path);
  if (text === undefined) throw new AuthorityFault('MOT-0424', `${path} is missing`);
  return text;
}

/** Raised when lines change their meaning, or a file is added. Format 1 had no revocations. */
export const PART_FORMAT = 2;

/** The plaintext; the ledger is as of the moment when its first chunk is wanted. */
export async function* authorityPart(
  files: ReadonlyMap<string, string>,
  /** Those of the ledger, and those of what was revoked. */
  lists: readonly [LineFile, LineFile],
  facts: { readonly id: string; readonly ca: string },
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  // Appended to only: what it holds now stays as it is.
  const lengths = lists.map(({ bytes: length }) => length);
  yield line({ part: 'authority', format: PART_FORMAT, ...facts });
  const piece = (file: string, content: Buffer): Uint8Array => {
    hash.update(content);
    bytes += content.length;
    return line({ file, base64: content.toString('base64') });
  };
  for (const [name, text] of files) yield piece(name, Buffer.from(text));
  for (const [index, list] of lists.entries()) {
    const length = lengths[index] ?? 0;
    for (let at = 0; at < length; at += PIECE_BYTES) {
      yield piece(LIST_NAMES[index] as string, await list.read(at, Math.min(PIECE_BYTES, length - at)));
    }
  }
  yield line({ end: true, bytes, sha256: hash.digest('hex') });
}

function line(document: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(document)}\n`);
}

const LIST_NAMES = [LEDGER_NAME, REVOKED_NAME];
/** In base64 it must fit into a line as the protocol's reader takes it. */
const PIECE_BYTES = 32 * 1024;
