// Which of LevelDB's files are in use: CURRENT names the list (MANIFEST), and the list tells tables and logs. Reads, never writes.

import { Fields } from './fields.ts';
import { readLog } from './log-file.ts';

export interface FilesInUse {
  /** By their numbers. */
  readonly tables: ReadonlyMap<number, ListedTable>;
  /** Logs from this number on; older ones are in tables already. */
  readonly firstLog: number;
  /** How keys are ordered. */
  readonly comparator: string;
}

export interface ListedTable {
  readonly bytes: number;
  /** First and last key, each with eight bytes more that LevelDB puts behind it. */
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** What a name in the directory stands for; undefined = it is not LevelDB's, or holds nothing. */
export interface LevelFile {
  readonly name: string;
  readonly kind: 'current' | 'list' | 'log' | 'table';
  /** 0 = it has none. */
  readonly number: number;
}

export function levelFile(name: string): LevelFile | undefined {
  if (name === 'CURRENT') return { name, kind: 'current', number: 0 };
  const list = /^MANIFEST-(\d+)$/.exec(name);
  if (list !== null) return { name, kind: 'list', number: Number(list[1]) };
  const numbered = /^(\d+)\.(log|ldb|sst)$/.exec(name);
  if (numbered === null) return undefined;
  return { name, kind: numbered[2] === 'log' ? 'log' : 'table', number: Number(numbered[1]) };
}

/** The name of the list that CURRENT holds; undefined = it holds none. */
export function parseCurrent(current: Uint8Array): string | undefined {
  return /^(MANIFEST-\d+)\n$/.exec(Buffer.from(current).toString('latin1'))?.[1];
}

/** Undefined: the list is damaged. */
export function parseManifest(file: Uint8Array): FilesInUse | undefined {
  const { records, damage } = readLog(file);
  if (damage !== undefined || records.length === 0) return undefined;
  const edits = new Edits();
  for (const { bytes } of records) if (!edits.add(new Fields(bytes))) return undefined;
  return edits.firstLog < 0 ? undefined : edits;
}

/** Changes to the list, one after the other. */
class Edits implements FilesInUse {
  readonly tables = new Map<number, ListedTable>();
  firstLog = -1;
  comparator = '';

  /** False: it makes no sense. */
  add(fields: Fields): boolean {
    while (!fields.isDone) if (!this.#field(fields)) return false;
    return true;
  }

  #field(fields: Fields): boolean {
    switch (fields.varint()) {
      case TAG.comparator: {
        const name = fields.slice();
        if (name !== undefined) this.comparator = Buffer.from(name).toString('latin1');
        return name !== undefined;
      }
      case TAG.logNumber:
        this.firstLog = fields.varint();
        return this.firstLog >= 0;
      case TAG.nextFile:
      case TAG.lastSequence:
      case TAG.previousLog:
        return fields.varint() >= 0;
      case TAG.compactPointer:
        return fields.varint() >= 0 && fields.slice() !== undefined;
      case TAG.removed: {
        const level = fields.varint();
        const number = fields.varint();
        this.tables.delete(number);
        return level >= 0 && number >= 0;
      }
      case TAG.added: {
        const level = fields.varint();
        const number = fields.varint();
        const bytes = fields.varint();
        const first = fields.slice();
        const last = fields.slice();
        if (level < 0 || bytes < 0 || first === undefined || last === undefined) return false;
        this.tables.set(number, { bytes, first, last });
        return true;
      }
      default:
        return false;
    }
  }
}

const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  removed: 6,
  added: 7,
  previousLog: 9,
} as const;
