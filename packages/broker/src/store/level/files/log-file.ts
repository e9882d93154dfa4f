// LevelDB's log format, of its write-ahead log and of its list of files: records in fragments, fragments in blocks of 32 KiB, a
// checksum on each fragment. LevelDB itself passes over what is damaged, and over whatever follows in the same block, without a
// word; here nothing is passed over in silence, and what follows damage is found again.

import { maskedCrc32c } from './crc32c.ts';
import { fixed32 } from './fields.ts';

export interface LogRecord {
  readonly bytes: Uint8Array;
  /** False: some of its bytes are not what was written, or are missing. */
  readonly isWhole: boolean;
}

export interface LogReading {
  readonly records: readonly LogRecord[];
  /** What is damaged; undefined = nothing. A last record that a crash cut off is not damage. */
  readonly damage: string | undefined;
}

interface Fragment {
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Its checksum is right. */
  readonly isWhole: boolean;
}

export function readLog(file: Uint8Array): LogReading {
  const records: LogRecord[] = [];
  let damage: string | undefined;
  let open: { parts: Uint8Array[]; isWhole: boolean } | undefined;
  const finish = (isEnded: boolean): void => {
    if (open === undefined) return;
    const isWhole = open.isWhole && isEnded;
    records.push({ bytes: Buffer.concat(open.parts), isWhole });
    open = undefined;
  };
  const fragments = readFragments(file, (why) => (damage ??= why));
  for (const { type, bytes, isWhole } of fragments) {
    if (!isWhole) damage ??= 'a checksum is wrong';
    const begins = isWhole ? type === FULL || type === FIRST : open === undefined;
    if (begins) {
      if (open !== undefined) damage ??= 'the end of a record is missing';
      finish(false);
      open = { parts: [], isWhole };
    } else if (open === undefined) {
      damage ??= 'the beginning of a record is missing';
      open = { parts: [], isWhole: false };
    }
    open.parts.push(bytes);
    open.isWhole &&= isWhole;
    if (type === FULL || type === LAST) finish(true);
  }
  // The last record was cut off by a crash: nobody was told that it is there.
  if (open !== undefined && damage !== undefined) finish(false);
  return { records, damage };
}

function* readFragments(file: Uint8Array, onDamage: (why: string) => void): Generator<Fragment> {
  for (let at = 0; at < file.length; ) {
    const blockEnd = Math.min(file.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES);
    if (blockEnd - at < HEADER_BYTES) {
      at = blockEnd;
      continue;
    }
    const fragment = fragmentAt(file, at, blockEnd);
    if (fragment !== undefined) {
      yield fragment;
      at += HEADER_BYTES + fragment.bytes.length;
      continue;
    }
    // Space at the end that was given to the file and never written.
    if (isEmpty(file, at, file.length)) return;
    const next = nextFragment(file, at + 1, blockEnd);
    const length = lengthAt(file, at);
    if (next === -1 && isEmpty(file, blockEnd, file.length)) {
      const rest = file.subarray(at + HEADER_BYTES, blockEnd);
      // The length does not stand under the checksum: where only it is wrong, the content proves itself.
      if (isSound(file, at, blockEnd)) {
        onDamage('a length is wrong');
        yield { type: file[at + 6] as number, bytes: rest, isWhole: true };
      } else if (!isCutOff(file, at, blockEnd)) {
        yield { type: file[at + 6] as number, bytes: rest.subarray(0, length), isWhole: false };
      }
      return;
    }
    const end = next === -1 ? blockEnd : next;
    const isPlausible = at + HEADER_BYTES + length === end;
    if (isSound(file, at, end)) {
      onDamage('a length is wrong');
      yield { type: file[at + 6] as number, bytes: file.subarray(at + HEADER_BYTES, end), isWhole: true };
    } else {
      const type = isPlausible ? (file[at + 6] as number) : MIDDLE;
      yield { type, bytes: file.subarray(at + HEADER_BYTES, end), isWhole: false };
    }
    at = end;
  }
}

/** The fragment that begins here, if its checksum says so. */
function fragmentAt(file: Uint8Array, at: number, blockEnd: number): Fragment | undefined {
  const type = file[at + 6] as number;
  if (type < FULL || type > LAST) return undefined;
  const end = at + HEADER_BYTES + lengthAt(file, at);
  if (end > blockEnd || !isSound(file, at, end)) return undefined;
  return { type, bytes: file.subarray(at + HEADER_BYTES, end), isWhole: true };
}

/** Where in the block a fragment begins that proves itself; -1 = nowhere. */
function nextFragment(file: Uint8Array, from: number, blockEnd: number): number {
  for (let at = from; at + HEADER_BYTES <= blockEnd; at++) {
    if (fragmentAt(file, at, blockEnd) !== undefined) return at;
  }
  return -1;
}

function isSound(file: Uint8Array, at: number, end: number): boolean {
  return maskedCrc32c(file, at + 6, end) === fixed32(file, at);
}

function lengthAt(file: Uint8Array, at: number): number {
  return (file[at + 4] as number) | ((file[at + 5] as number) << 8);
}

function isEmpty(file: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (file[at] !== 0) return false;
  return true;
}

/** It would go on behind the end of the file; or the file was made longer before what was written reached the disk. */
function isCutOff(file: Uint8Array, at: number, end: number): boolean {
  const type = file[at + 6] as number;
  const goesOn = type >= FULL && type <= LAST && at + HEADER_BYTES + lengthAt(file, at) > end;
  return goesOn || isEmpty(file, Math.max(at, file.length - SECTOR_BYTES), file.length);
}

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;
const SECTOR_BYTES = 512;
