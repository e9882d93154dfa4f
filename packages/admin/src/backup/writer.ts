// The broker's part of a backup as a stream: manifest, files, records as they lie in the store, and an end that counts them.
// A frame is its kind (one byte), the length of its content (32 bits), the content. Read by reader.ts.

import { createHash } from 'node:crypto';
import type { BackupManifest } from './manifest.ts';

/** A key and its value. */
export type BackupRecord = readonly [key: Uint8Array, value: Uint8Array];

/** What the end says of all before it. */
export interface BackupEnd {
  readonly files: number;
  readonly records: number;
  /** Bytes of keys and values. */
  readonly bytes: number;
  /** SHA-256 of every byte before the end, lower-case hex. */
  readonly sha256: string;
}

export class BackupWriter {
  readonly #hash = createHash('sha256');
  #files = 0;
  #records = 0;
  #bytes = 0;

  /** Comes first, once. */
  start(manifest: BackupManifest): Buffer {
    return this.#add(Buffer.concat([Buffer.from(STREAM_MAGIC), frame(FRAME.manifest, json(manifest))]));
  }

  /** A small file, whole. */
  file(name: string, content: Uint8Array): Buffer {
    this.#files += 1;
    const named = Buffer.from(name);
    return this.#add(frame(FRAME.file, Buffer.concat([Buffer.of(named.length), named, content])));
  }

  records(records: readonly BackupRecord[]): Buffer {
    let length = 0;
    for (const [key, value] of records) length += 8 + key.length + value.length;
    const content = Buffer.allocUnsafe(length);
    let at = 0;
    for (const [key, value] of records) {
      content.writeUInt32BE(key.length, at);
      content.writeUInt32BE(value.length, at + 4);
      content.set(key, at + 8);
      content.set(value, at + 8 + key.length);
      at += 8 + key.length + value.length;
    }
    this.#records += records.length;
    this.#bytes += length - 8 * records.length;
    return this.#add(frame(FRAME.records, content));
  }

  /** Comes last; without it a stream was broken off. */
  end(): Buffer {
    const end: BackupEnd = {
      files: this.#files,
      records: this.#records,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
    };
    return frame(FRAME.end, json(end));
  }

  #add(bytes: Buffer): Buffer {
    this.#hash.update(bytes);
    return bytes;
  }
}

function frame(kind: number, content: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + content.length);
  bytes[0] = kind;
  bytes.writeUInt32BE(content.length, 1);
  bytes.set(content, FRAME_HEAD_BYTES);
  return bytes;
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** ASCII letters, so that a look at the bytes tells what they are. */
export const FRAME = { manifest: 0x4d, file: 0x46, records: 0x52, end: 0x45 } as const;
export const FRAME_HEAD_BYTES = 5;
export const STREAM_MAGIC = 'motte broker part\n';
