// What the files of a store need of the directory they are in.

import { open, readdir } from 'node:fs/promises';

/** Names in a directory; none if there is no such directory. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fault;
  }
}

/** Makes renames and new names in it durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
