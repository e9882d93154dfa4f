// Opens a backup's file: shape and seal are looked at before anything else, so that whatever is not a whole backup is
// refused without a key, and with its own reason. Gives the encrypted parts as streams.

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { MotteError } from '@motte/admin/errors';
import { said } from '../data/said.ts';
import {
  type BackupHead,
  FILE_FORMAT,
  MAGIC,
  type PartName,
  type PartPlace,
  parseHead,
  parseIndex,
  parseSeal,
  SEAL_BYTES,
} from './container.ts';

export interface OpenBackup {
  readonly head: BackupHead;
  readonly bytes: number;
  readonly parts: readonly PartPlace[];
  /** The encrypted part. */
  read(name: PartName): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Throws MOT-0804 to MOT-0806; `onBytes` is told how far the seal's check has come. */
export async function openBackup(path: string, onBytes: (count: number, of: number) => void): Promise<OpenBackup> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const opened = await check(file, path, onBytes);
    const whole = file;
    return {
      ...opened,
      read: (name) => {
        const { at, bytes } = opened.parts.find((part) => part.name === name) as PartPlace;
        return slice(whole, at, at + bytes);
      },
      close: () => whole.close(),
    };
  } catch (fault) {
    await file?.close();
    if (fault instanceof MotteError) throw fault;
    throw new MotteError('MOT-0804', `${path}: ${said(fault)}`, {
      remedy: 'check the path and its permissions',
      cause: fault,
    });
  }
}

type Checked = Pick<OpenBackup, 'head' | 'bytes' | 'parts'>;

async function check(file: FileHandle, path: string, onBytes: (count: number, of: number) => void): Promise<Checked> {
  const damaged = (why: string): MotteError => new MotteError('MOT-0806', `${path}: ${why}`);
  const { size: bytes } = await file.stat();
  const first = (await bytesAt(file, 0, Math.min(bytes, HEAD_BYTES_MAX))).toString('latin1');
  checkMagic(first, path);
  const sealAt = bytes - SEAL_BYTES;
  const seal = sealAt < 0 ? undefined : parseSeal((await bytesAt(file, sealAt, SEAL_BYTES)).toString('latin1'));
  if (seal === undefined) throw damaged('its end is missing: it was cut off, or its writing was');
  const hash = createHash('sha256');
  let seen = 0;
  for await (const chunk of slice(file, 0, sealAt)) {
    hash.update(chunk);
    seen += chunk.length;
    onBytes(seen, sealAt);
  }
  if (hash.digest('hex') !== seal.sha256) throw damaged('its checksum is wrong: something in it was changed');
  // From here on only a file that was made like this can disappoint.
  const [magic = '', line = ''] = first.split('\n', 2);
  const head = parseHead(line);
  if (head === undefined) throw damaged('its head cannot be read');
  const from = magic.length + line.length + 2;
  const to = sealAt - seal.indexBytes;
  const index = to < from ? '' : (await bytesAt(file, to, seal.indexBytes)).toString();
  const parts = parseIndex(index, { from, to });
  if (parts === undefined) throw damaged('its index does not fit what is in it');
  return { head, bytes, parts };
}

function checkMagic(first: string, path: string): void {
  const begins = first.slice(0, MAGIC.length);
  if (begins !== MAGIC) {
    if (MAGIC.startsWith(begins))
      throw new MotteError('MOT-0806', `${path}: nothing is in it but ${begins.length} bytes`);
    throw new MotteError('MOT-0804', `${path}: it does not begin as a backup does`);
  }
  const format = /^([1-9][0-9]{0,5})\n/.exec(first.slice(MAGIC.length))?.[1];
  if (format === undefined) throw new MotteError('MOT-0806', `${path}: its first line is not whole`);
  if (Number(format) > FILE_FORMAT) {
    throw new MotteError('MOT-0805', `${path}: it has format ${format}, this version reads ${FILE_FORMAT}`);
  }
}

async function bytesAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}

async function* slice(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to; ) {
    const chunk = await bytesAt(file, at, Math.min(CHUNK_BYTES, to - at));
    if (chunk.length === 0) throw new MotteError('MOT-0806', 'the file became shorter while it was read');
    at += chunk.length;
    yield chunk;
  }
}

const HEAD_BYTES_MAX = 16 * 1024;
const CHUNK_BYTES = 256 * 1024;
