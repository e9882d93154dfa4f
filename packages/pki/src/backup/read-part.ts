// Reads the authority's part of a backup and looks at all of it: whether it is whole, whether the keys fit the certificates,
// whether every line of the ledger can be read. Where it is to be restored, it is written on the way.

import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Ca, GENERATIONS_NAME, parseCa } from '../issue/ca.ts';
import { parseGenerations } from '../issue/generations.ts';
import { type IssuedRecord, parseRecord } from '../issue/ledger.ts';
import { LineFile } from '../issue/line-file.ts';
import { RecordLines } from '../issue/record-lines.ts';
import { syncDirectory, unwritable } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { LineReader } from '../protocol/lines.ts';
import { parseRevoked, type RevokedRecord } from '../revoke/revocations.ts';
import { isPartFile, LEDGER_NAME, PART_FORMAT, REVOKED_NAME } from './authority-part.ts';
import type { Later } from './later.ts';
import { mergeLater, type Restored } from './merge-later.ts';

export interface PartFacts {
  /** SHA-256 of the root certificate, lower-case hex. */
  readonly fingerprint: string;
  /** Certificates that were ever issued. */
  readonly issued: number;
  /** And revoked. */
  readonly revoked: number;
}

export interface RestoredFacts extends PartFacts {
  /** Revocations that were merged into it. */
  readonly merged: number;
  /** Devices that have no good certificate any more by them. */
  readonly gone: readonly string[];
}

/** What a restore merges; none where everything later is given up. */
export interface Merging {
  readonly sources: readonly Later[];
  /** When the backup was made. */
  readonly madeMs: number;
  readonly nowMs: number;
}

/** Takes a file's next bytes. */
type Sink = (file: string, bytes: Uint8Array) => Promise<void>;

/** Checks all of it; throws MOT-0438 for what does not fit, and what the stream throws. */
export async function checkAuthorityPart(plain: AsyncIterable<Uint8Array>, id: string): Promise<PartFacts> {
  const { fingerprint, issued, revoked } = await readPart(plain, id, async () => undefined);
  return { fingerprint, issued: issued.size, revoked: revoked.size };
}

/**
 * The same, and makes the pki directory with everything in it, and what happened later; the caller takes it away again if it
 * throws: MOT-0441 for a source that does not serve.
 */
export async function restoreAuthorityPart(
  plain: AsyncIterable<Uint8Array>,
  id: string,
  pki: string,
  { sources, madeMs, nowMs }: Merging,
): Promise<RestoredFacts> {
  try {
    await mkdir(pki, { mode: 0o700 });
    const directories = new Set<string>();
    const part = await readPart(plain, id, async (name, bytes) => {
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
    const { fingerprint, issued, revoked } = part;
    const merge = await mergeLater(sources, { ...part, madeMs }, nowMs);
    await append(join(pki, LEDGER_NAME), merge.issued);
    await append(join(pki, REVOKED_NAME), merge.revoked);
    for (const directory of [...directories, pki]) await syncDirectory(directory);
    return {
      fingerprint,
      issued: issued.size + merge.issued.length,
      revoked: revoked.size + merge.revoked.length,
      merged: merge.revoked.length,
      gone: merge.gone,
    };
  } catch (fault) {
    throw fault instanceof AuthorityFault ? fault : unwritable(pki, fault);
  }
}

async function append(path: string, records: readonly object[]): Promise<void> {
  const list = await LineFile.open(path, () => undefined);
  try {
    if (records.length > 0) await list.append(...records);
  } finally {
    await list.close();
  }
}

type Part = Omit<Restored, 'madeMs'> & Pick<PartFacts, 'fingerprint'>;

async function readPart(plain: AsyncIterable<Uint8Array>, id: string, sink: Sink): Promise<Part> {
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
  const lists = { issued: new Map<string, Issued>(), revoked: new Map<string, Pick<RevokedRecord, 'notAfter'>>() };
  const texts = new Map<string, string>();
  let bytes = 0;
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const { file, base64, end, ...rest } = next.value as Record<string, unknown>;
    if (end === true) {
      if (rest['bytes'] !== bytes || rest['sha256'] !== hash.digest('hex')) throw refused('its checksum is wrong');
      if ((await lines.next()).done !== true) throw refused('something stands behind its end');
      ledger.finish();
      revoked.finish();
      const [ca, ...others] = await casOf(texts);
      if (ca.fingerprint !== first.ca) throw refused('its CA is not the one it names');
      const issuing = [ca, ...others].map(({ issuingPem: pem, issuer: { commonName } }) => ({ pem, commonName }));
      return { fingerprint: ca.fingerprint, ...lists, issuing };
    }
    if (typeof file !== 'string' || !isPartFile(file) || typeof base64 !== 'string') {
      throw refused('a line of it cannot be');
    }
    const content = Buffer.from(base64, 'base64');
    hash.update(content);
    bytes += content.length;
    if (file === LEDGER_NAME) {
      for (const { serial, name, notAfter, profile } of ledger.push(content))
        lists.issued.set(serial, { name, notAfter, profile });
    } else if (file === REVOKED_NAME) {
      for (const { serial, notAfter } of revoked.push(content)) lists.revoked.set(serial, { notAfter });
    } else texts.set(file, (texts.get(file) ?? '') + content.toString());
    await sink(file, content);
  }
  throw refused('it ends too early');
}

type Issued = Pick<IssuedRecord, 'name' | 'notAfter' | 'profile'>;

/** Every CA that is in use, each looked at; the one that certifies the broker comes first. */
async function casOf(texts: ReadonlyMap<string, string>): Promise<[Ca, ...Ca[]]> {
  const { current, old } = parseGenerations(texts.get(GENERATIONS_NAME));
  const of = (name: string): Promise<Ca> => parseCa(name, (file) => texts.get(`${name}/${file}`));
  return old === undefined ? [await of(current)] : [await of(old.directory), await of(current)];
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
