// Looks at the files of a store before LevelDB does: LevelDB would pass over damage in its log without a word, read its tables
// without looking at their checksums, begin anew where CURRENT is missing, and make the files of another program its own. Reads
// everything, changes nothing.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertFormat, FORMAT_KEY, FormatFault } from '../format.ts';
import { readBatch } from './batch-records.ts';
import { namesIn } from './directory.ts';
import { readLog } from './log-file.ts';
import {
  type FilesInUse,
  type LevelFile,
  type ListedTable,
  levelFile,
  parseCurrent,
  parseManifest,
} from './manifest.ts';
import { readTable, type TableEntry } from './table-file.ts';

export interface Damage {
  /** The file it is in. */
  readonly name: string;
  readonly why: string;
}

export interface Inspection {
  /** All of LevelDB's files that are there. */
  readonly files: readonly LevelFile[];
  /** Those of them that hold records in use, logs last and each kind in the order in which it was written. */
  readonly used: readonly LevelFile[];
  /** What the list of files says of its tables, by their numbers; none if it is damaged. */
  readonly tables: ReadonlyMap<number, ListedTable>;
  /** Empty: all of it is whole. */
  readonly damages: readonly Damage[];
}

/** Throws FormatFault for what another program or a newer version wrote, and what the file system says. */
export async function inspectFiles(path: string): Promise<Inspection> {
  const files = (await namesIn(path)).flatMap((name) => levelFile(name) ?? []);
  const records = files.filter(({ kind }) => kind === 'log' || kind === 'table');
  const damages: Damage[] = [];
  // A start that ended before its first record leaves nothing that could be lost.
  if (records.length === 0 && !files.some(({ kind }) => kind === 'current'))
    return { files, used: [], tables: NO_TABLES, damages };
  const listed = await listOf(path, files, damages);
  const used = listed === undefined ? records : usedFiles(records, listed, damages);
  used.sort((a, b) => (a.kind === b.kind ? a.number - b.number : a.kind === 'table' ? -1 : 1));
  const format = new FormatSearch();
  for await (const [{ name, kind, number }, file] of contentsOf(path, used)) {
    if (kind === 'log') checkLog(name, file, format, damages);
    else checkTable(name, file, listed?.tables.get(number), format, damages);
  }
  format.check(damages);
  return { files, used, tables: listed?.tables ?? NO_TABLES, damages };
}

/** Each file whole, one after the other; the next one is read while this one is looked at. */
async function* contentsOf(path: string, files: readonly LevelFile[]): AsyncGenerator<[LevelFile, Uint8Array]> {
  const begin = (file: LevelFile | undefined): Promise<Uint8Array> | undefined => {
    const reading = file === undefined ? undefined : readFile(join(path, file.name));
    // Told when it is awaited, if it ever is.
    reading?.catch(() => undefined);
    return reading;
  };
  let coming = begin(files[0]);
  for (const [at, file] of files.entries()) {
    const content = await (coming as Promise<Uint8Array>);
    coming = begin(files[at + 1]);
    yield [file, content];
  }
}

/** What the list of files says; undefined if it is damaged. */
async function listOf(path: string, files: readonly LevelFile[], damages: Damage[]): Promise<FilesInUse | undefined> {
  if (!files.some(({ kind }) => kind === 'current')) {
    damages.push({ name: 'CURRENT', why: 'it is missing' });
    return undefined;
  }
  const name = parseCurrent(await readFile(join(path, 'CURRENT')));
  if (name === undefined) {
    damages.push({ name: 'CURRENT', why: 'it names no list of files' });
    return undefined;
  }
  if (!files.some((file) => file.name === name)) {
    damages.push({ name, why: 'it is missing' });
    return undefined;
  }
  const listed = parseManifest(await readFile(join(path, name)));
  if (listed === undefined) damages.push({ name, why: 'it is damaged' });
  else if (listed.comparator !== COMPARATOR) throw new FormatFault('it holds the data of another program');
  return listed;
}

function usedFiles(records: readonly LevelFile[], { tables, firstLog }: FilesInUse, damages: Damage[]): LevelFile[] {
  const used = records.filter(({ kind, number }) => (kind === 'log' ? number >= firstLog : tables.has(number)));
  for (const number of tables.keys()) {
    if (!used.some((file) => file.kind === 'table' && file.number === number)) {
      damages.push({ name: `${String(number).padStart(6, '0')}.ldb`, why: 'it is missing' });
    }
  }
  if (firstLog > 0 && !used.some((file) => file.kind === 'log' && file.number === firstLog)) {
    damages.push({ name: `${String(firstLog).padStart(6, '0')}.log`, why: 'it is missing' });
  }
  return used;
}

function checkLog(name: string, file: Uint8Array, format: FormatSearch, damages: Damage[]): void {
  const { records, damage } = readLog(file);
  let why = damage;
  for (const record of records) {
    const { entries, lost } = readBatch(record, 0);
    if (lost > 0) why ??= 'a record makes no sense';
    for (const entry of entries) format.look(entry);
  }
  if (why !== undefined) damages.push({ name, why });
}

function checkTable(
  name: string,
  file: Uint8Array,
  listed: ListedTable | undefined,
  format: FormatSearch,
  damages: Damage[],
): void {
  const { entries, damage, isForeign } = readTable(file);
  if (isForeign) throw new FormatFault('it holds the data of another program');
  const why = damage ?? (listed !== undefined && listed.bytes !== file.length ? 'its size is wrong' : undefined);
  if (why !== undefined) damages.push({ name, why });
  if (listed !== undefined && why === undefined && !mayHold(listed, FORMAT_KEY)) {
    // Something is there; what it is, nobody need know.
    format.sawEntries = true;
    return;
  }
  for (const entry of entries) format.look(entry);
}

function mayHold({ first, last }: ListedTable, key: Uint8Array): boolean {
  return (
    Buffer.compare(first.subarray(0, first.length - 8), key) <= 0 &&
    Buffer.compare(last.subarray(0, last.length - 8), key) >= 0
  );
}

/** Finds out whose records these are. */
class FormatSearch {
  sawEntries = false;
  #format: TableEntry | undefined = undefined;

  look(entry: TableEntry): void {
    this.sawEntries = true;
    if (Buffer.compare(entry.key, FORMAT_KEY) !== 0 || !entry.isSound) return;
    if (this.#format === undefined || entry.sequence > this.#format.sequence) this.#format = entry;
  }

  /** Where the record that would say it is damaged itself, the seals of all others have to. */
  check(damages: readonly Damage[]): void {
    if (this.#format !== undefined && !this.#format.isRemoval) assertFormat(this.#format.value);
    else if (this.sawEntries && damages.length === 0) throw new FormatFault('it holds the data of another program');
  }
}

const NO_TABLES: ReadonlyMap<number, ListedTable> = new Map();
const COMPARATOR = 'leveldb.BytewiseComparator';
