// LevelDB's table format: blocks of entries, a block that says where they are, and a checksum on each. LevelDB reads them without
// looking at the checksums; here all are looked at, and of a table that is damaged every block that is not is still read.

import { isSealed } from './batch-records.ts';
import { maskedCrc32c } from './crc32c.ts';
import { Fields, fixed32, fixed56 } from './fields.ts';

/** One version of a record; the highest `sequence` of a key counts. */
export interface TableEntry {
  readonly key: Uint8Array;
  readonly sequence: number;
  readonly isRemoval: boolean;
  readonly value: Uint8Array;
  /** Its block's checksum is right. */
  readonly isSound: boolean;
}

export interface TableReading {
  readonly entries: Iterable<TableEntry>;
  readonly damage: string | undefined;
  /** A block is packed: this program never does that. */
  readonly isForeign: boolean;
}

export interface Block {
  readonly from: number;
  /** Behind its content, before its trailer. */
  readonly to: number;
  readonly isSound: boolean;
}

export function readTable(file: Uint8Array): TableReading {
  const listed = listedBlocks(file);
  if (listed === undefined) {
    const blocks = [...foundBlocks(file)];
    return { entries: entriesOf(file, blocks), damage: 'its list of blocks cannot be read', isForeign: false };
  }
  const { isForeign } = listed;
  const damaged = listed.blocks.filter(({ isSound }) => !isSound).length;
  let damage = listed.others ? undefined : 'its filter is damaged';
  if (damaged > 0) damage = `${damaged} of ${listed.blocks.length} blocks are damaged`;
  return { entries: entriesOf(file, listed.blocks), damage, isForeign };
}

/** The blocks of entries of a table, in their order; undefined: it is damaged. */
export function soundBlocks(file: Uint8Array): readonly Block[] | undefined {
  const blocks = listedBlocks(file)?.blocks;
  return blocks?.every(({ isSound }) => isSound) === true ? blocks : undefined;
}

interface ListedBlocks {
  readonly blocks: readonly Block[];
  /** All else in the table is sound. */
  readonly others: boolean;
  readonly isForeign: boolean;
}

/** The blocks of entries as the table itself lists them. */
function listedBlocks(file: Uint8Array): ListedBlocks | undefined {
  if (file.length < FOOTER_BYTES) return undefined;
  if (fixed32(file, file.length - 8) !== MAGIC_LOW || fixed32(file, file.length - 4) !== MAGIC_HIGH) return undefined;
  const footer = new Fields(file, file.length - FOOTER_BYTES, file.length - 8);
  const filters = handledBlock(file, footer);
  const index = handledBlock(file, footer);
  if (index?.isSound !== true) return undefined;
  if (file[index.to] !== NOT_PACKED) return { blocks: [], others: true, isForeign: true };
  const blocks: Block[] = [];
  for (const { value } of pairsOf(file, index)) {
    const block = handledBlock(file, new Fields(value));
    // An index whose checksum is right and that leads nowhere was never written by a LevelDB.
    if (block === undefined) return undefined;
    blocks.push(block);
  }
  let others = filters?.isSound === true;
  if (others) {
    for (const { value } of pairsOf(file, filters as Block)) {
      others &&= handledBlock(file, new Fields(value))?.isSound === true;
    }
  }
  return { blocks, others, isForeign: blocks.some(({ to, isSound }) => isSound && file[to] !== NOT_PACKED) };
}

function handledBlock(file: Uint8Array, handle: Fields): Block | undefined {
  const from = handle.varint();
  const size = handle.varint();
  if (from < 0 || size < 0 || from + size + TRAILER_BYTES > file.length) return undefined;
  return blockAt(file, from, from + size);
}

function blockAt(file: Uint8Array, from: number, to: number): Block {
  return { from, to, isSound: maskedCrc32c(file, from, to + 1) === fixed32(file, to + 1) };
}

/** The sound blocks at the beginning of a file that does not say where its blocks are: each proves where it ends. */
function* foundBlocks(file: Uint8Array): Generator<Block> {
  for (let from = 0; ; ) {
    const block = blockFrom(file, from);
    if (block === undefined) return;
    yield block;
    from = block.to + TRAILER_BYTES;
  }
}

function blockFrom(file: Uint8Array, from: number): Block | undefined {
  const fields = new Fields(file, from);
  for (let entries = 0; ; entries++) {
    const restarts = Math.max(1, Math.ceil(entries / RESTART_INTERVAL));
    const to = fields.at + 4 * restarts + 4;
    if (to + TRAILER_BYTES > file.length) return undefined;
    if (fixed32(file, to - 4) === restarts) {
      const block = blockAt(file, from, to);
      if (block.isSound) return block;
    }
    if (!skipEntry(fields)) return undefined;
  }
}

function skipEntry(fields: Fields): boolean {
  const shared = fields.varint();
  const own = fields.varint();
  const length = fields.varint();
  if (shared < 0 || own < 0 || length < 0) return false;
  fields.at += own + length;
  return fields.at <= fields.end;
}

function* entriesOf(file: Uint8Array, blocks: readonly Block[]): Generator<TableEntry> {
  for (const block of blocks) {
    if (!block.isSound) {
      yield* sealedEntries(file, block);
      continue;
    }
    for (const pair of pairsOf(file, block)) {
      const entry = entryOf(pair, true);
      if (entry !== undefined) yield entry;
    }
  }
}

/**
 * What in a damaged block proves itself: a seal proves a value, whatever the block says of its kind. Every sixteenth key is written
 * in full, so that damage costs no more than those up to the next; among these, all that is sealed counts if their lengths lead
 * there, else what stands before the first that is not: behind it a payload could pose as an entry.
 */
function* sealedEntries(file: Uint8Array, block: Block): Generator<TableEntry> {
  const starts = startsOf(file, block);
  for (const [at, from] of starts.entries()) {
    const { pairs, isComplete } = pairsIn(file, from, starts[at + 1] ?? endOfPairs(file, block));
    for (const pair of pairs) {
      const entry = entryOf(pair, false);
      if (entry !== undefined && isSealed(entry.key, entry.value)) yield { ...entry, isRemoval: false };
      else if (!isComplete) break;
    }
  }
}

function entryOf({ key, value }: Pair, isSound: boolean): TableEntry | undefined {
  const end = key.length - SUFFIX_BYTES;
  if (end < 0) return undefined;
  return { key: key.subarray(0, end), sequence: fixed56(key, end + 1), isRemoval: key[end] === 0, value, isSound };
}

/** Where a key is written in full, in order; of a damaged block those that can be. */
function startsOf(file: Uint8Array, block: Block): number[] {
  const { from, to } = block;
  const end = endOfPairs(file, block);
  const starts = [from];
  // Where their number is damaged, all that is known is where the first one is.
  if (end <= from || end > to - 8) return starts;
  for (let at = end; at < to - 4; at += 4) {
    const start = from + fixed32(file, at);
    if (start > (starts.at(-1) as number) && start < end) starts.push(start);
  }
  return starts;
}

interface Pair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface Pairs {
  readonly pairs: readonly Pair[];
  readonly isComplete: boolean;
}

function pairsOf(file: Uint8Array, block: Block): readonly Pair[] {
  return pairsIn(file, block.from, endOfPairs(file, block)).pairs;
}

/** Entries with their whole keys, as far as they can be read; complete if that is to their end. */
function pairsIn(file: Uint8Array, from: number, end: number): Pairs {
  const pairs: Pair[] = [];
  const fields = new Fields(file, from, end);
  let key: Uint8Array = new Uint8Array(0);
  while (!fields.isDone) {
    const shared = fields.varint();
    const own = fields.varint();
    const length = fields.varint();
    if (shared < 0 || own < 0 || length < 0 || shared > key.length || fields.at + own + length > end) break;
    const next = new Uint8Array(shared + own);
    next.set(key.subarray(0, shared));
    next.set(file.subarray(fields.at, fields.at + own), shared);
    key = next;
    fields.at += own + length;
    pairs.push({ key, value: file.subarray(fields.at - length, fields.at) });
  }
  return { pairs, isComplete: fields.at === end };
}

/** Behind the entries stand the places where a key is written in full, and how many these are. */
export function endOfPairs(file: Uint8Array, { from, to }: Block): number {
  const end = to - from < 4 ? from : to - 4 - 4 * fixed32(file, to - 4);
  return end < from ? to : end;
}

const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC_LOW = 0x8b80fb57;
const MAGIC_HIGH = 0xdb477524;
const NOT_PACKED = 0;
const RESTART_INTERVAL = 16;
/** Sequence number and kind behind every key. */
const SUFFIX_BYTES = 8;
