// What one connection still has to send. Frames are copied one behind the other into blocks that all connections share, so
// that many small packets leave in one write and an idle connection holds no buffer at all.

import type { Writable } from 'node:stream';

/** Size of a block: a full TLS record. */
const BLOCK_BYTES = 16_384;
/** Blocks kept for re-use over all connections: 8 MiB. */
const SPARE_BLOCKS_MAX = 512;

const spare: Buffer[] = [];

export class Outbox {
  private readonly stream: Writable;
  private readonly onWritten: () => void;
  private block: Buffer | undefined = undefined;
  private used = 0;
  /** Full parts in front of the block. */
  private parts: Buffer[] = [];
  private partBytes = 0;
  /** The blocks that those parts lie in: not free before the parts were written. */
  private partBlocks: Buffer[] = [];
  /** The blocks of what the stream has and the peer has not taken yet. */
  private writing: Buffer[] = [];
  private writingBytes = 0;

  constructor(stream: Writable, written: () => void) {
    this.stream = stream;
    this.onWritten = () => {
      this.recycle();
      written();
    };
  }

  /** Bytes not taken by the peer, whether with us or with the stream. */
  get unsentBytes(): number {
    return this.partBytes + this.used + this.writingBytes;
  }

  /** True while the stream still works on the last write. */
  get busy(): boolean {
    return this.writingBytes > 0;
  }

  get empty(): boolean {
    return this.partBytes + this.used === 0;
  }

  /** Appends bytes and gives the buffer they stand in now; `at` is where, for patching before the next call. */
  append(bytes: Uint8Array): Buffer {
    const length = bytes.length;
    if (length > BLOCK_BYTES) return this.appendLarge(bytes);
    let block = this.block;
    if (block === undefined || this.used + length > BLOCK_BYTES) block = this.nextBlock();
    const from = this.used;
    // Below this a loop is faster than the call into the engine.
    if (length < 96) for (let i = 0; i < length; i++) block[from + i] = bytes[i] as number;
    else block.set(bytes, from);
    this.at = from;
    this.used = from + length;
    return block;
  }

  /** Offset of what `append` wrote last. */
  at = 0;

  /** Hands everything to the stream in one go, unless it still works on the last write. */
  flush(): void {
    if (this.busy || this.empty) return;
    const { stream } = this;
    const block = this.block;
    if (this.parts.length === 0 && block !== undefined) {
      this.writing.push(block);
      this.writingBytes = this.used;
      this.block = undefined;
      const bytes = this.used === BLOCK_BYTES ? block : block.subarray(0, this.used);
      this.used = 0;
      stream.write(bytes, this.onWritten);
      return;
    }
    const parts = this.parts;
    this.writing = this.partBlocks;
    this.partBlocks = [];
    if (block !== undefined) {
      parts.push(block.subarray(0, this.used));
      this.writing.push(block);
    }
    this.writingBytes = this.partBytes + this.used;
    this.parts = [];
    this.partBytes = 0;
    this.block = undefined;
    this.used = 0;
    stream.cork();
    const last = parts.length - 1;
    for (let i = 0; i < last; i++) stream.write(parts[i]);
    stream.write(parts[last], this.onWritten);
    stream.uncork();
  }

  /** Lets go of everything; the connection is over. */
  discard(): void {
    this.parts = [];
    this.partBytes = 0;
    this.partBlocks = [];
    this.block = undefined;
    this.used = 0;
    this.writing = [];
    this.writingBytes = 0;
  }

  private nextBlock(): Buffer {
    if (this.block !== undefined) {
      this.parts.push(this.block.subarray(0, this.used));
      this.partBytes += this.used;
      this.partBlocks.push(this.block);
      this.used = 0;
    }
    this.block = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
    return this.block;
  }

  private appendLarge(bytes: Uint8Array): Buffer {
    if (this.block !== undefined && this.used > 0) {
      this.parts.push(this.block.subarray(0, this.used));
      this.partBytes += this.used;
      this.partBlocks.push(this.block);
      this.block = undefined;
      this.used = 0;
    }
    const part = Buffer.from(bytes);
    this.parts.push(part);
    this.partBytes += part.length;
    this.at = 0;
    return part;
  }

  private recycle(): void {
    for (const block of this.writing) if (spare.length < SPARE_BLOCKS_MAX) spare.push(block);
    this.writing.length = 0;
    this.writingBytes = 0;
  }
}
