// A data directory built from a backup: beside its place as DIR.restoring, and only under its name when all of it is there and
// on the disk. Never over anything.

import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BackupPiece, BackupRecord } from '@motte/admin/backup';
import { MotteError } from '@motte/admin/errors';
import { createStoreFiles, type StoreFiles } from '@motte/broker/store-files';
import { policyPath, registryPath, storePath, tokensPath } from '../data/layout.ts';
import { makeDirectories } from '../data/make-directories.ts';
import { said } from '../data/said.ts';
import { CONFIG_FILE, POLICY_FILE, REGISTRY_FILE, TOKENS_FILE } from './source.ts';

export interface RestoreTarget {
  /** Where the authority's part belongs. */
  readonly pki: string;
  /** Puts a piece of the broker's part where it belongs. */
  take(piece: BackupPiece): Promise<void>;
  /** Changes the text of a file of the broker's part; undefined where there is none. */
  amend(name: string, change: (text: string | undefined) => string | undefined): Promise<void>;
  /** Gives the directory its name. */
  finish(): Promise<void>;
  /** Takes it away, unless it is finished. */
  discard(): Promise<void>;
}

/** Throws MOT-0809 unless the directory does not exist or is empty. */
export function checkTarget(data: string): void {
  const facts = lstatSync(data, { throwIfNoEntry: false });
  if (facts === undefined) return;
  if (!facts.isDirectory()) throw new MotteError('MOT-0809', `${data} is not a directory`);
  if (readdirSync(data).length > 0) throw new MotteError('MOT-0809', `${data} is not empty`);
}

/** Begins beside the directory. Throws MOT-0809, or MOT-0201 if nothing can be made there. */
export async function createTarget(data: string): Promise<RestoreTarget> {
  checkTarget(data);
  const draft = `${data}.restoring`;
  if (existsSync(draft)) {
    throw new MotteError('MOT-0809', `${draft} is there`, {
      remedy: 'another restore is at work, or one was killed: then remove it',
    });
  }
  const unmade = (fault: unknown): MotteError =>
    new MotteError('MOT-0201', `${draft}: ${said(fault)}`, { cause: fault });
  try {
    makeDirectories(dirname(draft));
    await mkdir(draft, { mode: 0o700 });
    await mkdir(storePath(draft), { mode: 0o700 });
  } catch (fault) {
    throw unmade(fault);
  }
  let store: StoreFiles | undefined;
  let isFinished = false;
  const closeStore = async (): Promise<void> => {
    const open = store;
    store = undefined;
    await open?.close();
  };
  return {
    pki: join(draft, 'pki'),
    async take(piece) {
      try {
        if (piece.kind === 'file') await writeFile(pathOf(draft, piece.name), piece.content);
        else if (piece.kind === 'records') {
          store ??= await createStoreFiles(storePath(draft));
          for (const batch of batches(piece.records)) await store.write(batch);
        }
      } catch (fault) {
        throw unmade(fault);
      }
    },
    async amend(name, change) {
      const path = pathOf(draft, name);
      try {
        const before = existsSync(path) ? await readFile(path, 'utf8') : undefined;
        const text = change(before);
        if (text === undefined) return;
        await rm(path, { force: true });
        await writeFile(path, Buffer.from(text));
      } catch (fault) {
        throw unmade(fault);
      }
    },
    async finish() {
      await closeStore();
      try {
        for (const directory of [storePath(draft), draft]) await syncDirectory(directory);
        // Takes the place of an empty directory, and of no other.
        await rename(draft, data);
        isFinished = true;
        await syncDirectory(dirname(data));
      } catch (fault) {
        if ((fault as NodeJS.ErrnoException).code === 'ENOTEMPTY')
          throw new MotteError('MOT-0809', `${data} is not empty`);
        throw unmade(fault);
      }
    },
    async discard() {
      await closeStore();
      if (!isFinished) await rm(draft, { recursive: true, force: true });
    },
  };
}

function pathOf(draft: string, name: string): string {
  if (name === REGISTRY_FILE) return registryPath(draft);
  if (name === POLICY_FILE) return policyPath(draft);
  return name === TOKENS_FILE ? tokensPath(draft) : join(draft, CONFIG_FILE);
}

async function writeFile(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** One synced write each, bounded in number and bytes. */
function* batches(records: readonly BackupRecord[]): Generator<BackupRecord[]> {
  let batch: BackupRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    batch.push(record);
    bytes += record[0].length + record[1].length;
    if (batch.length < BATCH.recordsMax && bytes < BATCH.bytesMax) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

const BATCH = { recordsMax: 2_000, bytesMax: 4 * 1024 * 1024 };
