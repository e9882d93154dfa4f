// Writes the data types of 1.5 into a buffer that grows, then puts the fixed header in front. One writer serves all
// packets: encoding is synchronous and the finished packet is a copy of its own.

import { allocate, allocateBriefly } from './host-buffer.ts';
import { textLength, writeText } from './text.ts';
import { VARINT_MAX, varintLength, writeVarint } from './varint.ts';

export class Writer {
  #buffer = allocate(KEPT_BYTES_START);
  #at = HEADER_BYTES_MAX;

  /** Starts over; what an aborted packet left behind is dropped. */
  reset(): void {
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#buffer = allocate(KEPT_BYTES_START);
    this.#at = HEADER_BYTES_MAX;
  }

  /** Bytes of body written so far. */
  get length(): number {
    return this.#at - HEADER_BYTES_MAX;
  }

  byte(value: number): void {
    assertInteger(value, 0xff);
    this.#room(1);
    this.#buffer[this.#at++] = value;
  }

  uint16(value: number): void {
    assertInteger(value, 0xffff);
    this.#room(2);
    this.#buffer[this.#at++] = value >>> 8;
    this.#buffer[this.#at++] = value;
  }

  uint32(value: number): void {
    assertInteger(value, 0xffff_ffff);
    this.uint16(Math.floor(value / 0x10000));
    this.uint16(value % 0x10000);
  }

  varint(value: number): void {
    assertInteger(value, VARINT_MAX);
    this.#room(4);
    this.#at = writeVarint(this.#buffer, this.#at, value);
  }

  text(value: string): void {
    const length = textLength(value);
    this.uint16(length);
    this.#room(length);
    this.#at = writeText(this.#buffer, this.#at, value);
  }

  binary(value: Uint8Array): void {
    this.uint16(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#room(value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
  }

  /** Puts the length of all that was written since `start` (a former `length`) in front of it, as a variable byte integer. */
  prefixLength(start: number): void {
    const size = this.length - start;
    assertInteger(size, VARINT_MAX);
    const shift = varintLength(size);
    this.#room(shift);
    const from = start + HEADER_BYTES_MAX;
    this.#buffer.copyWithin(from + shift, from, this.#at);
    writeVarint(this.#buffer, from, size);
    this.#at += shift;
  }

  /** The body written so far, without a header, as a copy. */
  body(): Uint8Array {
    const copy = allocate(this.length);
    copy.set(this.#buffer.subarray(HEADER_BYTES_MAX, this.#at));
    return copy;
  }

  /** The whole packet, as a copy. */
  packet(firstByte: number): Uint8Array {
    assertInteger(firstByte, 0xff);
    assertInteger(this.length, VARINT_MAX);
    const start = HEADER_BYTES_MAX - 1 - varintLength(this.length);
    this.#buffer[start] = firstByte;
    writeVarint(this.#buffer, start + 1, this.length);
    const copy = allocateBriefly(this.#at - start);
    copy.set(this.#buffer.subarray(start, this.#at));
    return copy;
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = allocate(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = grown;
  }
}

function assertInteger(value: number, max: number): void {
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) {
    throw new RangeError(`cannot encode ${value}: an integer from 0 to ${max} is due`);
  }
}

/** First byte and the longest Remaining Length (2.1.4). */
const HEADER_BYTES_MAX = 5;
/** Ours: what the writer holds on to between packets. */
const KEPT_BYTES_START = 1024;
const KEPT_BYTES_MAX = 65_536;
