// Puts a rebuilt database in the place of a damaged one, so that whatever moment the power fails at, the next start finds the old
// one or goes on with the new. The directory of the new one is renamed at each step: its name says how far it came.

import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn, syncDirectory } from './directory.ts';
import { levelFile } from './manifest.ts';

/** Where the new database is written; without meaning until it is whole. */
export function rebuiltPath(path: string): string {
  return join(path, 'rebuilt');
}

/** Where damaged files are kept. */
export function lostPath(path: string): string {
  return join(path, 'lost');
}

/** The new database is whole and closed: it replaces the old one, of which the files named are kept. */
export async function swapIn(path: string, kept: readonly string[], stamp: string): Promise<void> {
  await mkdir(lostPath(path), { recursive: true, mode: 0o700 });
  for (const name of kept) await keep(join(path, name), join(lostPath(path), `${stamp}-${name}`));
  await syncDirectory(lostPath(path));
  await rename(rebuiltPath(path), wholePath(path));
  await syncDirectory(path);
  await finishSwap(path);
}

/** A second name for the file, which stays where it is until the new database is there; a copy where there are no second names. */
async function keep(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

/** Goes on where an earlier run was interrupted, if one was. */
export async function finishSwap(path: string): Promise<void> {
  const names = await namesIn(path);
  if (names.includes('rebuilt')) await rm(rebuiltPath(path), { recursive: true });
  if (names.includes('rebuilt.whole')) {
    for (const name of names) if (levelFile(name) !== undefined) await rm(join(path, name));
    await syncDirectory(path);
    await rename(wholePath(path), movingPath(path));
    await syncDirectory(path);
  } else if (!names.includes('rebuilt.moving')) return;
  const moving = (await readdir(movingPath(path))).filter((name) => levelFile(name) !== undefined);
  // CURRENT last: without it there is no database.
  moving.sort((a, b) => Number(a === 'CURRENT') - Number(b === 'CURRENT'));
  for (const name of moving) await rename(join(movingPath(path), name), join(path, name));
  await syncDirectory(path);
  await rm(movingPath(path), { recursive: true });
}

function wholePath(path: string): string {
  return join(path, 'rebuilt.whole');
}

function movingPath(path: string): string {
  return join(path, 'rebuilt.moving');
}
