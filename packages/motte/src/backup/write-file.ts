// Writes a backup's file: beside its place as FILE.part, synced, and only then under its name. Never over a file that is
// there, readable by nobody else, and gone again if anything fails.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { said, saidOfNewFile } from '../data/said.ts';
import { type BackupHead, headText, indexText, type PartName, type PartPlace, sealText } from './container.ts';

export interface BackupFile {
  /** Comes first. */
  head(head: BackupHead): Promise<void>;
  part(name: PartName, bytes: AsyncIterable<Uint8Array>, onBytes: (count: number) => void): Promise<void>;
  /** Seals the file and gives it its name. */
  finish(): Promise<{ readonly bytes: number; readonly parts: readonly PartPlace[] }>;
  /** Takes it away, unless it is finished. */
  discard(): Promise<void>;
}

/** Throws MOT-0604 where a file is there already, MOT-0605 where none can be made. */
export async function createBackupFile(path: string): Promise<BackupFile> {
  const draft = `${path}.part`;
  if (existsSync(path)) throw isThere(path);
  const file = await openNew(draft);
  const hash = createHash('sha256');
  const parts: PartPlace[] = [];
  let bytes = 0;
  let isOpen = true;
  const write = async (chunk: Uint8Array): Promise<void> => {
    hash.update(chunk);
    bytes += chunk.length;
    await writeAll(file, chunk, draft);
  };
  return {
    head: (head) => write(Buffer.from(headText(head))),
    async part(name, chunks, onBytes) {
      const at = bytes;
      const own = createHash('sha256');
      for await (const chunk of chunks) {
        own.update(chunk);
        await write(chunk);
        onBytes(bytes);
      }
      parts.push({ name, at, bytes: bytes - at, sha256: own.digest('hex') });
    },
    async finish() {
      const index = Buffer.from(indexText(parts));
      await write(index);
      const seal = Buffer.from(sealText(index.length, hash.digest('hex')));
      await writeAll(file, seal, draft);
      await file.sync();
      await file.close();
      isOpen = false;
      await giveName(draft, path);
      return { bytes: bytes + seal.length, parts };
    },
    async discard() {
      if (isOpen) {
        await file.close();
        isOpen = false;
        await rm(draft, { force: true });
      }
    },
  };
}

async function openNew(draft: string): Promise<FileHandle> {
  try {
    return await open(draft, 'wx', 0o600);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new MotteError('MOT-0604', `${draft} is there`, {
        remedy: 'another backup is writing it, or one was killed: then remove it',
        cause: fault,
      });
    }
    throw new MotteError('MOT-0605', `${draft}: ${saidOfNewFile(fault)}`, { remedy: REMEDY, cause: fault });
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, draft: string): Promise<void> {
  try {
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
  } catch (fault) {
    throw new MotteError('MOT-0803', `${draft}: ${said(fault)}`, { cause: fault });
  }
}

/** A link is refused where the name is taken, a renaming would replace it; file systems without links have only the latter. */
async function giveName(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
    await rm(draft);
  } catch (fault) {
    const isTaken = (fault as NodeJS.ErrnoException).code === 'EEXIST' || existsSync(path);
    if (isTaken) {
      await rm(draft, { force: true });
      throw isThere(path);
    }
    await rename(draft, path);
  }
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isThere(path: string): MotteError {
  return new MotteError('MOT-0604', `${path} is there already`, { remedy: 'name another file, or move this one away' });
}

const REMEDY = 'check the path, its permissions and the free space';
