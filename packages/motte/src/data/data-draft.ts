// A data directory in the making: beside its place as DIR.ENDING, and only under its name when all of it is there and on the
// disk. Never over anything. What is in it is its maker's business.

import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ErrorCode, MotteError } from '@motte/admin/errors';
import { storePath } from './layout.ts';
import { makeDirectories } from './make-directories.ts';
import { said } from './said.ts';

export interface DraftKind {
  /** What is at work, for people; its place ends with it. */
  readonly work: 'importing' | 'restoring';
  /** Where the place is taken. */
  readonly code: ErrorCode;
  readonly remedy: string;
}

export interface DataDraft {
  /** Where it is made; it has a `store` without anything in it. */
  readonly path: string;
  /** That it could not be made, and why. */
  unmade(fault: unknown): MotteError;
  /** Gives it its name; once. */
  finish(): Promise<void>;
  /** Takes it away, unless it has its name. */
  discard(): Promise<void>;
}

/** Throws with the code unless the directory does not exist or is empty. */
export function checkFree(data: string, { code }: Pick<DraftKind, 'code'>): void {
  const facts = lstatSync(data, { throwIfNoEntry: false });
  if (facts === undefined) return;
  if (!facts.isDirectory()) throw new MotteError(code, `${data} is not a directory`);
  if (readdirSync(data).length > 0) throw new MotteError(code, `${data} is not empty`);
}

/** Throws with the code, or MOT-0201 if nothing can be made there. */
export async function beginDraft(data: string, kind: DraftKind): Promise<DataDraft> {
  checkFree(data, kind);
  const path = `${data}.${kind.work}`;
  if (existsSync(path)) throw new MotteError(kind.code, `${path} is there`, { remedy: kind.remedy });
  const unmade = (fault: unknown): MotteError =>
    new MotteError('MOT-0201', `${path}: ${said(fault)}`, { cause: fault });
  try {
    makeDirectories(dirname(path));
    await mkdir(path, { mode: 0o700 });
    await mkdir(storePath(path), { mode: 0o700 });
  } catch (fault) {
    throw unmade(fault);
  }
  let hasName = false;
  return {
    path,
    unmade,
    async finish() {
      try {
        for (const directory of [storePath(path), path]) await syncDirectory(directory);
        // Takes the place of an empty directory, and of no other.
        await rename(path, data);
        hasName = true;
        await syncDirectory(dirname(data));
      } catch (fault) {
        if ((fault as NodeJS.ErrnoException).code === 'ENOTEMPTY')
          throw new MotteError(kind.code, `${data} is not empty`);
        throw unmade(fault);
      }
    },
    async discard() {
      if (!hasName) await rm(path, { recursive: true, force: true });
    },
  };
}

/** A file that is not there yet, on the disk when it resolves and readable for nobody else. */
export async function writeNewFile(path: string, content: string | Uint8Array): Promise<void> {
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
