// Reads the authority's part of a backup and looks at all of it: whether it is whole, whether the keys fit the certificates,
// whether every line of the ledger can be read. Where it is to be restored, it is written on the way.

import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Ca, GENERATIONS_NAME, parseCa } from '../issue/ca.ts';
import { parseGenerations } from '../issue/generations.ts';
import { parseRecord } from '../issue/ledger.ts';
import { RecordLines } from '../issue/record-lines.ts';
import { syncDirectory, unwritable } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { LineReader } from '../protocol/lines.ts';
import { parseRevoked } from '../revoke/revocations.ts';
import { isPartFile, LEDGER_NAME, PART_FORMAT, REVOKED_NAME } from './authority-part.ts';

export interface PartFacts {
  /** SHA-256 of the root certificate, lower-case hex. */
  readonly fingerprint: string;
  /** Certificates that were ever issued. */
  readonly issued: number;
  /** And revoked. */
  readonly revoked: number;
}

/** Takes a file's next bytes. */
type Sink = (file: string, bytes: Uint8Array) => Promise<void>;

/** Checks all of it; throws MOT-0438 for what does not fit, and what the stream throws. */
export async function checkAuthorityPart(plain: AsyncIterable<Uint8Array>, id: string): Promise<PartFacts> {
  return readPart(plain, id, async () => undefined);
}

/** The same, and makes the pki directory with everything in it; the caller takes it away again if it throws. */
export async function restoreAuthorityPart(
  plain: AsyncIterable<Uint8Array>,
  id: string,
  pki: string,
): Promise<PartFacts> {
  try {
    await mkdir(pki, { mode: 0o700 });
    const directories = new Set<string>();
    const facts = await readPart(plain, id, async (name, bytes) => {
      const directory = join(pki, dirname(name));
      if (directory !== pki && !directories.has(directory)) {
        await mkdir(directory, { mode: 0o700 });
        directories.add(directory);
      }
      const file = await open(join(pki, name), 'a', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
    });
    for (const directory of [...directories, pki]) await syncDirectory(directory);
    return facts;
  } catch (fault) {
    throw fault instanceof AuthorityFault ? fault : unwritable(pki, fault);
  }
}

async function readPart(plain: AsyncIterable<Uint8Array>, id: string, sink: Sink): Promise<PartFacts> {
  const lines = linesOf(plain);
  const first = (await lines.next()).value as
    | { part?: unknown; format?: unknown; id?: unknown; ca?: unknown }
    | undefined;
  if (first?.part !== 'authority') throw refused('it is not the part of an authority');
  if (first.format !== 1 && first.format !== PART_FORMAT)
    throw refused(`its format is ${String(first.format)}, this version reads 1 to ${PART_FORMAT}`);
  if (first.id !== id) throw refused('it belongs to another backup');
  const hash = createHash('sha256');
  const ledger = new RecordLines(LEDGER_NAME, parseRecord);
  const revoked = new RecordLines(REVOKED_NAME, parseRevoked);
  const texts = new Map<string, string>();
  let bytes = 0;
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const { file, base64, end, ...rest } = next.value as Record<string, unknown>;
    if (end === true) {
      if (rest['bytes'] !== bytes || rest['sha256'] !== hash.digest('hex')) throw refused('its checksum is wrong');
      if ((await lines.next()).done !== true) throw refused('something stands behind its end');
      ledger.finish();
      revoked.finish();
      const ca = await caOf(texts);
      if (ca.fingerprint !== first.ca) throw refused('its CA is not the one it names');
      return { fingerprint: ca.fingerprint, issued: ledger.count, revoked: revoked.count };
    }
    if (typeof file !== 'string' || !isPartFile(file) || typeof base64 !== 'string') {
      throw refused('a line of it cannot be');
    }
    const content = Buffer.from(base64, 'base64');
    hash.update(content);
    bytes += content.length;
    if (file === LEDGER_NAME) ledger.push(content);
    else if (file === REVOKED_NAME) revoked.push(content);
    else texts.set(file, (texts.get(file) ?? '') + content.toString());
    await sink(file, content);
  }
  throw refused('it ends too early');
}

/** Looks at every CA that is in use and gives the one that certifies the broker. */
async function caOf(texts: ReadonlyMap<string, string>): Promise<Ca> {
  const { current, old } = parseGenerations(texts.get(GENERATIONS_NAME));
  const [serving, ...others] = old === undefined ? [current] : [old.directory, current];
  for (const name of others) await parseCa(name, (file) => texts.get(`${name}/${file}`));
  return parseCa(serving, (file) => texts.get(`${serving}/${file}`));
}

async function* linesOf(plain: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, undefined> {
  const reader = new LineReader();
  for await (const chunk of plain) {
    for (const text of reader.push(chunk)) {
      try {
        yield JSON.parse(text);
      } catch {
        throw refused('a line of it is not JSON');
      }
    }
  }
  if (reader.partial) throw refused('it ends too early');
  return undefined;
}

function refused(why: string): AuthorityFault {
  return new AuthorityFault('MOT-0438', why);
}
