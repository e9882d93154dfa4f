// Cuts a byte stream into frames (2.1), pulled by the caller. A frame that lies whole in one chunk is not copied; one that
// does not is gathered in a buffer that grows with what has arrived, never by what the peer merely announces.

import { checkFirstByte } from './fixed-header.ts';
import { allocate } from './host-buffer.ts';
import { malformed, PeerError } from './peer-error.ts';

export class FrameReader {
  /** Limit on a whole frame in bytes, fixed header included; may be changed between frames. */
  packetBytesMax: number;

  /** The frame found by `next`: its first byte, its body, its end. Valid until the next call of `next` or `push`. */
  buffer: Uint8Array = NOTHING;
  start = 0;
  bodyStart = 0;
  end = 0;

  /** Complete frames given out, and bytes pushed in. */
  framesRead = 0;
  bytesRead = 0;

  #chunk: Uint8Array = NOTHING;
  #at = 0;
  /** Chunks pushed before the one in hand was used up. */
  #waiting: Uint8Array[] = [];
  #waitingAt = 0;
  /** What has arrived of a frame that no single chunk holds. */
  #partial: Uint8Array = NOTHING;
  #partialLength = 0;
  /** Length of that frame, 0 while its fixed header is incomplete. */
  #partialNeeds = 0;

  constructor(packetBytesMax: number) {
    this.packetBytesMax = packetBytesMax;
  }

  /** True while part of a frame is here and the rest is not. Meaningful after `next` gave false. */
  get pending(): boolean {
    return this.#partialLength > 0;
  }

  /** Hands a chunk over; it must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    this.bytesRead += chunk.length;
    if (this.#at < this.#chunk.length || this.#waitingAt < this.#waiting.length) {
      this.#waiting.push(chunk);
      return;
    }
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Finds the next frame; false if more bytes are needed. Throws PeerError for a first byte or length that cannot be, and
   * `packet-too-large` as soon as the length is known; the stream is then beyond repair.
   */
  next(): boolean {
    for (;;) {
      const chunk = this.#chunk;
      const at = this.#at;
      if (at >= chunk.length) {
        if (this.#waitingAt < this.#waiting.length) {
          this.#nextChunk();
          continue;
        }
        this.#chunk = NOTHING;
        this.#at = 0;
        this.buffer = NOTHING;
        return false;
      }
      if (this.#partialLength > 0) {
        if (this.#gather()) return true;
        continue;
      }
      const frameLength = this.#frameLength(chunk, at, chunk.length);
      const end = at + frameLength;
      if (frameLength === 0 || end > chunk.length) {
        this.#partialNeeds = frameLength;
        this.#keep(chunk, at, chunk.length);
        continue;
      }
      this.#at = end;
      this.#found(chunk, at, end);
      return true;
    }
  }

  /** Length of the frame at `start`, 0 if its fixed header goes on beyond `end`. Sets `bodyStart`. */
  #frameLength(buffer: Uint8Array, start: number, end: number): number {
    checkFirstByte(buffer[start] as number);
    let at = start + 1;
    let length = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) return 0;
      const byte = buffer[at++] as number;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0)
          throw malformed('MQTT-1.5.5-1', 'the Remaining Length takes more bytes than it needs');
        this.bodyStart = at;
        const frameLength = at - start + length;
        if (frameLength > this.packetBytesMax) throw tooLarge(frameLength, this.packetBytesMax);
        return frameLength;
      }
    }
    throw malformed('1.5.5', 'the Remaining Length takes more than four bytes');
  }

  /** Adds to the partial frame from the chunk in hand; true if that completed it. */
  #gather(): boolean {
    const chunk = this.#chunk;
    if (this.#partialNeeds === 0) {
      // At most four rounds: a byte of the fixed header at a time.
      this.#keep(chunk, this.#at, this.#at + 1);
      this.#partialNeeds = this.#frameLength(this.#partial, 0, this.#partialLength);
    } else {
      const missing = this.#partialNeeds - this.#partialLength;
      this.#keep(chunk, this.#at, Math.min(this.#at + missing, chunk.length));
    }
    if (this.#partialLength !== this.#partialNeeds) return false;
    const frame = this.#partial;
    this.#partial = NOTHING;
    this.#partialLength = 0;
    // The header may have been read while the frame still lay elsewhere.
    this.bodyStart = 2;
    while ((frame[this.bodyStart - 1] as number) >= 0x80) this.bodyStart += 1;
    this.#found(frame, 0, this.#partialNeeds);
    return true;
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    const length = this.#partialLength + to - from;
    if (length > this.#partial.length) {
      const roomy = Math.max(length, this.#partial.length * 2, PARTIAL_BYTES_START);
      const grown = allocate(this.#partialNeeds > 0 ? Math.min(roomy, this.#partialNeeds) : roomy);
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#partial.set(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to), this.#partialLength);
    this.#partialLength = length;
    this.#at = to;
  }

  #found(buffer: Uint8Array, start: number, end: number): void {
    this.framesRead += 1;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
  }

  #nextChunk(): void {
    this.#chunk = this.#waiting[this.#waitingAt] as Uint8Array;
    this.#at = 0;
    this.#waiting[this.#waitingAt++] = NOTHING;
    if (this.#waitingAt < this.#waiting.length) return;
    this.#waiting = [];
    this.#waitingAt = 0;
  }
}

function tooLarge(length: number, max: number): PeerError {
  return new PeerError(
    'packet-too-large',
    'MQTT-3.2.2-15',
    `a packet of ${length} bytes is announced, the limit is ${max}`,
  );
}

const NOTHING = new Uint8Array(0);
/** Ours: first size of the buffer for a partial frame. */
const PARTIAL_BYTES_START = 64;
