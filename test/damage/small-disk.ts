// A file system of a few MiB in memory, for tests of what happens when it is full or cannot be written to. Only where this process
// may mount one.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface SmallDisk {
  readonly path: string;
  /** Takes all the room there is. */
  fill(): void;
  /** Gives it back. */
  empty(): void;
  /** `ro` or `rw`, from now on. */
  remount(mode: 'ro' | 'rw'): void;
}

/** Why there is none here; undefined = there is. */
export const LACKS_SMALL_DISK = lacking();

export function mountSmallDisk(mebibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'motte-small-'));
  mount(path, mebibytes);
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true });
  });
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      const { bavail, bsize } = statfsSync(path);
      for (let blocks = bavail; blocks > 0; blocks = Math.floor(blocks / 2)) {
        try {
          writeFileSync(filler, Buffer.alloc(blocks * bsize, 1), { flag: 'a' });
        } catch (fault) {
          if ((fault as NodeJS.ErrnoException).code !== 'ENOSPC') throw fault;
        }
      }
    },
    empty: () => rmSync(filler),
    remount: (mode) => void execFileSync('mount', ['-o', `remount,${mode}`, path]),
  };
}

function lacking(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root: no file system can be mounted';
  const path = mkdtempSync(join(tmpdir(), 'motte-small-'));
  try {
    mount(path, 1);
    execFileSync('umount', [path]);
    return undefined;
  } catch {
    return 'no file system can be mounted here';
  } finally {
    rmSync(path, { recursive: true });
  }
}

function mount(path: string, mebibytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', path], { stdio: 'pipe' });
}
