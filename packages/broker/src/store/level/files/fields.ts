// The few kinds of numbers that LevelDB's files are made of; all of them answer -1 where there is none.

/** Reads on from `at`; the owner looks at `at` and at what it got. */
export class Fields {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isDone(): boolean {
    return this.at >= this.end;
  }

  /** A number of seven bits at a time, least significant first; -1 if it has no end, or is larger than can be told. */
  varint(): number {
    let value = 0;
    for (let scale = 1; this.at < this.end && scale <= SCALE_MAX; scale *= 0x80) {
      const byte = this.bytes[this.at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /** Bytes behind their length, not copied. */
  slice(): Uint8Array | undefined {
    const length = this.varint();
    if (length < 0 || this.at + length > this.end) return undefined;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** 32 bits, least significant first; the caller knows that they are there. */
export function fixed32(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

/** A sequence number of 56 bits; beyond 2^53 it is not exact, and no store gets there. */
export function fixed56(bytes: Uint8Array, at: number): number {
  return fixed32(bytes, at) + (fixed32(bytes, at + 3) >>> 8) * 0x1_0000_0000;
}

const SCALE_MAX = 2 ** 49;
