// One file's records in their order, one after the other and without an object for each: where a cursor stands is in its fields.

import { Fields, fixed56 } from './fields.ts';
import type { Block, TableEntry } from './table-file.ts';
import { endOfPairs } from './table-file.ts';

export interface Cursor {
  /** The key it stands at: its first `keyLength` bytes, until it goes on. */
  readonly key: Uint8Array;
  readonly keyLength: number;
  readonly sequence: number;
  readonly isRemoval: boolean;
  /** Not copied: part of the file that was read. */
  value(): Uint8Array;
  /** Goes to the next entry; false = there is none. */
  advance(): boolean;
  /** Goes from before its first entry to the first one at or behind this key. */
  seek(key: Uint8Array): boolean;
}

/** Walks the sound blocks of a table. */
export class TableCursor implements Cursor {
  key: Uint8Array = new Uint8Array(KEY_BYTES);
  keyLength = 0;
  sequence = 0;
  isRemoval = false;
  readonly #file: Uint8Array;
  readonly #blocks: readonly Block[];
  /** The block that comes next. */
  #block = 0;
  #fields: Fields;
  #valueAt = 0;
  #valueLength = 0;

  constructor(file: Uint8Array, blocks: readonly Block[]) {
    this.#file = file;
    this.#blocks = blocks;
    this.#fields = new Fields(file, 0, 0);
  }

  value(): Uint8Array {
    const { buffer, byteOffset } = this.#file;
    return new Uint8Array(buffer, byteOffset + this.#valueAt, this.#valueLength);
  }

  advance(): boolean {
    while (this.#fields.isDone) {
      const block = this.#blocks[this.#block++];
      if (block === undefined) return false;
      this.#fields = new Fields(this.#file, block.from, endOfPairs(this.#file, block));
      this.keyLength = 0;
    }
    this.#read();
    return true;
  }

  /** Of a block whose checksum is right everything is as it was written. */
  #read(): void {
    const fields = this.#fields;
    const file = this.#file;
    const shared = fields.varint();
    const own = fields.varint();
    this.#valueLength = fields.varint();
    const length = shared + own;
    if (length > this.key.length) this.#widen(length);
    const { key } = this;
    // Keys are short: a loop is faster than a call.
    for (let to = shared, at = fields.at; to < length; to++, at++) key[to] = file[at] as number;
    this.#valueAt = fields.at + own;
    fields.at = this.#valueAt + this.#valueLength;
    this.keyLength = length - SUFFIX_BYTES;
    this.isRemoval = key[this.keyLength] === 0;
    this.sequence = fixed56(key, this.keyLength + 1);
  }

  #widen(length: number): void {
    const wider = new Uint8Array(2 * length);
    wider.set(this.key);
    this.key = wider;
  }

  seek(key: Uint8Array): boolean {
    // The blocks in front of one that begins before the key have nothing for it either.
    while (this.#block + 1 < this.#blocks.length && this.#beginsBefore(this.#block + 1, key)) this.#block += 1;
    while (this.advance()) if (compareBytes(this.key, this.keyLength, key, key.length) >= 0) return true;
    return false;
  }

  /** The first key of a block is written in full. */
  #beginsBefore(number: number, key: Uint8Array): boolean {
    const fields = new Fields(this.#file, (this.#blocks[number] as Block).from);
    fields.varint();
    const length = fields.varint();
    fields.varint();
    const first = this.#file.subarray(fields.at, fields.at + length - SUFFIX_BYTES);
    return compareBytes(first, first.length, key, key.length) < 0;
  }
}

/** Walks entries that are sorted already, as those of logs. */
export class ListCursor implements Cursor {
  key: Uint8Array = NOTHING;
  keyLength = 0;
  sequence = 0;
  isRemoval = false;
  readonly #entries: readonly TableEntry[];
  #at = -1;

  constructor(entries: readonly TableEntry[]) {
    this.#entries = entries;
  }

  value(): Uint8Array {
    return this.#entries[this.#at]?.value ?? NOTHING;
  }

  advance(): boolean {
    this.#at += 1;
    const entry = this.#entries[this.#at];
    if (entry === undefined) return false;
    this.key = entry.key;
    this.keyLength = entry.key.length;
    this.sequence = entry.sequence;
    this.isRemoval = entry.isRemoval;
    return true;
  }

  seek(key: Uint8Array): boolean {
    while (this.advance()) if (compareBytes(this.key, this.keyLength, key, key.length) >= 0) return true;
    return false;
  }
}

/** By key, the newest of one key first. */
export function compareCursors(one: Cursor, other: Cursor): number {
  return compareBytes(one.key, one.keyLength, other.key, other.keyLength) || other.sequence - one.sequence;
}

/** The order in which LevelDB keeps keys. */
export function compareBytes(one: Uint8Array, oneLength: number, other: Uint8Array, otherLength: number): number {
  const length = Math.min(oneLength, otherLength);
  for (let at = 0; at < length; at++) {
    const difference = (one[at] as number) - (other[at] as number);
    if (difference !== 0) return difference;
  }
  return oneLength - otherLength;
}

const SUFFIX_BYTES = 8;
/** Longer ones get more room. */
const KEY_BYTES = 128;
const NOTHING = new Uint8Array(0);
