// The content of records as bytes: numbers of seven bits at a time, texts and byte strings behind their length.

import { DamagedRecord } from './seal.ts';

export class ByteWriter {
  private buffer = new Uint8Array(256);
  private length = 0;

  byte(value: number): this {
    this.room(1);
    this.buffer[this.length++] = value;
    return this;
  }

  /** A whole number from 0 to 2^53 − 1. */
  number(value: number): this {
    this.room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.length++] = rest;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.number(value.length);
    this.room(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
    return this;
  }

  text(value: string): this {
    return this.bytes(ENCODER.encode(value));
  }

  /** What was written, valid until the next `take`; the writer begins anew. */
  take(): Uint8Array {
    const taken = this.buffer.subarray(0, this.length);
    this.length = 0;
    return taken;
  }

  private room(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}

/** Reads what a ByteWriter wrote; throws DamagedRecord where that cannot be. */
export class ByteReader {
  private readonly buffer: Uint8Array;
  private at = 0;

  constructor(buffer: Uint8Array) {
    this.buffer = buffer;
  }

  byte(): number {
    const value = this.buffer[this.at++];
    if (value === undefined) throw new DamagedRecord('it ends too early');
    return value;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80 && value <= Number.MAX_SAFE_INTEGER) return value;
      if (scale >= SCALE_MAX) throw new DamagedRecord('a number has no end');
    }
  }

  /** Not copied. */
  bytes(): Uint8Array {
    const start = this.pass();
    return this.buffer.subarray(start, this.at);
  }

  text(): string {
    const start = this.pass();
    return textIn(this.buffer, start, this.at);
  }

  /** Goes behind what stands behind its length; gives where that began. */
  private pass(): number {
    const length = this.number();
    const start = this.at;
    if (start + length > this.buffer.length) throw new DamagedRecord('it ends too early');
    this.at = start + length;
    return start;
  }

  /** True once everything was read: what a later version added to the end of a record is not there. */
  get isAtEnd(): boolean {
    return this.at === this.buffer.length;
  }

  end(): void {
    if (this.at !== this.buffer.length) throw new DamagedRecord('it is longer than its content');
  }
}

/** Throws DamagedRecord where it is no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return textIn(bytes, 0, bytes.length);
}

/** A start reads a million of them, and nearly all are short and ASCII: these take two thirds of the time. */
function textIn(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_BYTES && isAscii(bytes, start, end)) return latin1Slice.call(bytes, start, end);
  try {
    return DECODER.decode(bytes.subarray(start, end));
  } catch {
    throw new DamagedRecord('a text in it is no UTF-8');
  }
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}

/** Buffer's own, of bytes that need not be a Buffer. */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
};
const SHORT_BYTES = 128;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Of the eighth group of seven bits, the last that a number of 53 bits has. */
const SCALE_MAX = 2 ** 49;
