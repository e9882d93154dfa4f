// Reads what writer.ts wrote, in whatever chunks it comes. Holds one frame at a time. Believes nothing: order, lengths,
// counts and the checksum are looked at, and a stream without its end is told from a whole one.

import { createHash } from 'node:crypto';
import { BackupFault, type BackupManifest, checkManifest } from './manifest.ts';
import { type BackupEnd, type BackupRecord, FRAME, FRAME_HEAD_BYTES, STREAM_MAGIC } from './writer.ts';

export type BackupPiece =
  | { readonly kind: 'manifest'; readonly manifest: BackupManifest }
  | { readonly kind: 'file'; readonly name: string; readonly content: Buffer }
  | { readonly kind: 'records'; readonly records: readonly BackupRecord[] }
  | { readonly kind: 'end'; readonly end: BackupEnd };

export class BackupReader {
  readonly #hash = createHash('sha256');
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes that the next step takes. */
  #needed = STREAM_MAGIC.length;
  #step: 'magic' | 'head' | 'frame' | 'ended' = 'magic';
  #kind = 0;
  #hasManifest = false;
  #files = 0;
  #records = 0;
  #bytes = 0;

  /** What the chunk completes; throws BackupFault. */
  push(chunk: Uint8Array): BackupPiece[] {
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#held += chunk.length;
    const pieces: BackupPiece[] = [];
    while (this.#held >= this.#needed && this.#step !== 'ended') {
      const piece = this.#take(this.#cut(this.#needed));
      if (piece !== undefined) pieces.push(piece);
    }
    if (this.#step === 'ended' && this.#held > 0) throw new BackupFault('something stands behind its end');
    return pieces;
  }

  /** No more comes; throws BackupFault if the end was not among it. */
  finish(): void {
    if (this.#step !== 'ended') throw new BackupFault('it ends too early');
  }

  #take(bytes: Buffer): BackupPiece | undefined {
    const step = this.#step;
    if (step === 'magic') {
      if (bytes.toString('latin1') !== STREAM_MAGIC) throw new BackupFault('it does not begin as a part of a backup');
      this.#hash.update(bytes);
      this.#expectHead();
      return undefined;
    }
    if (step === 'head') {
      this.#kind = bytes[0] as number;
      // The end's checksum is about all before it.
      if (this.#kind !== FRAME.end) this.#hash.update(bytes);
      this.#step = 'frame';
      this.#needed = bytes.readUInt32BE(1);
      if (this.#needed > FRAME_BYTES_MAX) throw new BackupFault(`a frame of ${this.#needed} bytes cannot be`);
      return undefined;
    }
    this.#expectHead();
    if (this.#kind !== FRAME.end) this.#hash.update(bytes);
    return this.#piece(bytes);
  }

  #piece(content: Buffer): BackupPiece {
    if (this.#hasManifest === (this.#kind === FRAME.manifest))
      throw new BackupFault('its manifest is not where it belongs');
    switch (this.#kind) {
      case FRAME.manifest:
        this.#hasManifest = true;
        return { kind: 'manifest', manifest: checkManifest(parseJson(content)) };
      case FRAME.file: {
        const named = 1 + (content[0] ?? 0);
        if (content.length < named) throw new BackupFault('a file in it has no name');
        this.#files += 1;
        return { kind: 'file', name: content.toString('utf8', 1, named), content: content.subarray(named) };
      }
      case FRAME.records:
        return { kind: 'records', records: this.#recordsOf(content) };
      case FRAME.end:
        this.#step = 'ended';
        this.#needed = 0;
        return { kind: 'end', end: this.#endOf(content) };
      default:
        throw new BackupFault(`a frame of kind ${this.#kind} is not known`);
    }
  }

  #recordsOf(content: Buffer): BackupRecord[] {
    const records: BackupRecord[] = [];
    for (let at = 0; at < content.length; ) {
      if (at + 8 > content.length) throw new BackupFault('a record in it is cut off');
      const middle = at + 8 + content.readUInt32BE(at);
      const end = middle + content.readUInt32BE(at + 4);
      if (end > content.length) throw new BackupFault('a record in it is cut off');
      records.push([content.subarray(at + 8, middle), content.subarray(middle, end)]);
      this.#bytes += end - at - 8;
      at = end;
    }
    this.#records += records.length;
    return records;
  }

  #endOf(content: Buffer): BackupEnd {
    const end = parseJson(content) as Partial<BackupEnd> | null;
    const counted = {
      files: this.#files,
      records: this.#records,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
    };
    const fits = (Object.keys(counted) as (keyof BackupEnd)[]).every((name) => end?.[name] === counted[name]);
    if (!fits) throw new BackupFault('its counts and checksum are not those of its content');
    return counted;
  }

  #expectHead(): void {
    this.#step = 'head';
    this.#needed = FRAME_HEAD_BYTES;
  }

  #cut(length: number): Buffer {
    const [first] = this.#chunks;
    const whole = first !== undefined && first.length >= length ? first : Buffer.concat(this.#chunks);
    if (whole !== first) this.#chunks = [whole];
    this.#held -= length;
    if (whole.length > length) this.#chunks[0] = whole.subarray(length);
    else this.#chunks.shift();
    return whole.subarray(0, length);
  }
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    throw new BackupFault('a frame of it is not JSON');
  }
}

/** The largest record is a message of the largest packet there is, 256 MiB. */
const FRAME_BYTES_MAX = 288 * 1024 * 1024;
