// A data directory built from a backup. Never over anything.

import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupPiece, BackupRecord } from '@motte/admin/backup';
import { createStoreFiles, type StoreFiles } from '@motte/broker/store-files';
import { beginDraft, checkFree, type DraftKind, writeNewFile } from '../data/data-draft.ts';
import { policyPath, registryPath, storePath, tokensPath } from '../data/layout.ts';
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
  checkFree(data, RESTORING);
}

/** Begins beside the directory. Throws MOT-0809, or MOT-0201 if nothing can be made there. */
export async function createTarget(data: string): Promise<RestoreTarget> {
  const draft = await beginDraft(data, RESTORING);
  const { path: directory, unmade } = draft;
  let store: StoreFiles | undefined;
  const closeStore = async (): Promise<void> => {
    const open = store;
    store = undefined;
    await open?.close();
  };
  return {
    pki: join(directory, 'pki'),
    async take(piece) {
      try {
        if (piece.kind === 'file') await writeNewFile(pathOf(directory, piece.name), piece.content);
        else if (piece.kind === 'records') {
          store ??= await createStoreFiles(storePath(directory));
          for (const batch of batches(piece.records)) await store.write(batch);
        }
      } catch (fault) {
        throw unmade(fault);
      }
    },
    async amend(name, change) {
      const path = pathOf(directory, name);
      try {
        const before = existsSync(path) ? await readFile(path, 'utf8') : undefined;
        const text = change(before);
        if (text === undefined) return;
        await rm(path, { force: true });
        await writeNewFile(path, Buffer.from(text));
      } catch (fault) {
        throw unmade(fault);
      }
    },
    async finish() {
      await closeStore();
      await draft.finish();
    },
    async discard() {
      await closeStore();
      await draft.discard();
    },
  };
}

function pathOf(directory: string, name: string): string {
  if (name === REGISTRY_FILE) return registryPath(directory);
  if (name === POLICY_FILE) return policyPath(directory);
  return name === TOKENS_FILE ? tokensPath(directory) : join(directory, CONFIG_FILE);
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

const RESTORING: DraftKind = {
  work: 'restoring',
  code: 'MOT-0809',
  remedy: 'another restore is at work, or one was killed: then remove it',
};
const BATCH = { recordsMax: 2_000, bytesMax: 4 * 1024 * 1024 };
