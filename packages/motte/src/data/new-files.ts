// Files for a person's directory: all of them new, or none of them written.

import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { makeDirectories } from './make-directories.ts';
import { said } from './said.ts';

export interface NewFile {
  readonly name: string;
  readonly mode: number;
}

export interface NewFiles {
  /** Fills every file; call once. */
  write(texts: ReadonlyMap<string, string>): void;
  /** Takes the files away again, written or not. */
  discard(): void;
}

/** What to do about a file that is there, where the command names files and not a directory. */
export const ONE_FILE = 'name another file, or move this one away';

/** Creates the files empty, so that nothing is issued for files that cannot be written. Throws MOT-0604 or MOT-0605. */
export function reserveFiles(directory: string, files: readonly NewFile[], remedy?: string): NewFiles {
  const open: { readonly name: string; readonly path: string; readonly fd: number }[] = [];
  let isOpen = true;
  const discard = () => {
    for (const { fd, path } of open) {
      if (isOpen) closeSync(fd);
      rmSync(path, { force: true });
    }
    isOpen = false;
  };
  try {
    makeDirectories(directory);
    for (const { name, mode } of files) {
      const path = join(directory, name);
      open.push({ name, path, fd: openSync(path, 'wx', mode) });
    }
  } catch (fault) {
    discard();
    const { code, path } = fault as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      const why = `${path ?? directory} is there already`;
      throw new MotteError('MOT-0604', why, { ...(remedy === undefined ? {} : { remedy }), cause: fault });
    }
    throw new MotteError('MOT-0605', `${directory}: ${said(fault)}`, {
      cause: fault,
    });
  }
  return {
    discard,
    write(texts) {
      for (const { name, fd } of open) {
        writeSync(fd, texts.get(name) ?? '');
        fsyncSync(fd);
      }
      for (const { fd } of open) closeSync(fd);
      isOpen = false;
    },
  };
}
