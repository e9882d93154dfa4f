// The records of one write as LevelDB logged it: a sequence number, a count, and one record after the other. Of a damaged write
// what can still prove itself is taken: a value whose seal fits its key. A removal cannot, and is left out.

import { DamagedRecord, unseal } from '../seal.ts';
import { Fields, fixed32, fixed56 } from './fields.ts';
import { type LogRecord, readLog } from './log-file.ts';
import type { TableEntry } from './table-file.ts';

export interface BatchReading {
  readonly entries: readonly TableEntry[];
  /** Records that are damaged, or cannot prove that they are not; at least that many. */
  readonly lost: number;
  /** The sequence number that follows. */
  readonly next: number;
}

/** Records of a log, in the order in which they were written. */
export function* entriesOfLog(file: Uint8Array): Generator<TableEntry> {
  let expected = 0;
  for (const record of readLog(file).records) {
    const { entries, next } = readBatch(record, expected);
    expected = next;
    yield* entries;
  }
}

/** `expected`: the sequence number that follows on the batch before; 0 = unknown. */
export function readBatch({ bytes, isWhole }: LogRecord, expected: number): BatchReading {
  if (isWhole) {
    const entries = wholeBatch(bytes);
    if (entries !== undefined) return { entries, lost: 0, next: sequenceOf(bytes) + entries.length };
  }
  return damagedBatch(bytes, expected);
}

/** Undefined: it is none, whatever its checksum says. */
function wholeBatch(bytes: Uint8Array): TableEntry[] | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const fields = new Fields(bytes, HEADER_BYTES);
  const first = sequenceOf(bytes);
  const entries: TableEntry[] = [];
  while (!fields.isDone) {
    const kind = bytes[fields.at++];
    if (kind !== REMOVAL && kind !== VALUE) return undefined;
    const key = fields.slice();
    const value = kind === VALUE ? fields.slice() : NOTHING;
    if (key === undefined || value === undefined) return undefined;
    entries.push({ key, sequence: first + entries.length, isRemoval: kind === REMOVAL, value, isSound: true });
  }
  return entries.length === fixed32(bytes, 8) ? entries : undefined;
}

/**
 * Values that prove themselves. Where the lengths of the records still lead to the end, all of them; else those before the first
 * that is damaged: behind it a payload could pose as a record.
 */
function damagedBatch(bytes: Uint8Array, expected: number): BatchReading {
  if (bytes.length < HEADER_BYTES) return { entries: [], lost: 1, next: 0 };
  const fields = new Fields(bytes, HEADER_BYTES);
  // What it says itself may be damaged; where it stands is not.
  const first = expected === 0 ? sequenceOf(bytes) : expected;
  const entries: TableEntry[] = [];
  let count = 0;
  let sure = 0;
  let isDoubtful = false;
  for (; !fields.isDone; count++) {
    const kind = bytes[fields.at++];
    const key = kind === VALUE || kind === REMOVAL ? fields.slice() : undefined;
    const value = kind === VALUE && key !== undefined ? fields.slice() : NOTHING;
    if (key === undefined || value === undefined) break;
    if (kind === VALUE && isSealed(key, value)) {
      entries.push({ key, sequence: first + count, isRemoval: false, value, isSound: false });
      if (!isDoubtful) sure = entries.length;
    } else {
      isDoubtful = true;
    }
  }
  const isComplete = fields.isDone && count === fixed32(bytes, 8);
  const taken = isComplete ? entries : entries.slice(0, sure);
  return { entries: taken, lost: Math.max(1, count - taken.length), next: isComplete ? first + count : 0 };
}

function sequenceOf(bytes: Uint8Array): number {
  return fixed56(bytes, 0);
}

/** The value is what was written under this key. */
export function isSealed(key: Uint8Array, value: Uint8Array): boolean {
  try {
    unseal(key, value);
    return true;
  } catch (fault) {
    if (fault instanceof DamagedRecord) return false;
    throw fault;
  }
}

const HEADER_BYTES = 12;
const REMOVAL = 0;
const VALUE = 1;
const NOTHING = new Uint8Array(0);
