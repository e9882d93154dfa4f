// Files and directories that only their owner may touch: checked before use, never followed through a symbolic link,
// replaced whole or not at all. Knows nothing of what is in them.

import { randomBytes } from 'node:crypto';
import { constants, promises as fs, type Stats } from 'node:fs';
import { join } from 'node:path';
import { PRIVATE_FILE_BYTES_MAX } from './limits.ts';
import { AuthorityFault } from './protocol/faults.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants;
const OTHERS = 0o077;

/** Makes the directory if it is missing, then insists that it is ours, a directory and closed to others (MOT-0423). */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    await fs.mkdir(path, { mode: 0o700 });
  } catch (fault) {
    if (errno(fault) !== 'EEXIST') throw unwritable(path, fault);
  }
  const facts = await fs.lstat(path).catch((fault: unknown) => Promise.reject(unsafe(path, fault)));
  if (!facts.isDirectory()) throw unsafe(path, 'is not a directory');
  assertOwn(path, facts);
}

/** The file's text, or undefined if there is none; MOT-0423 if it is not ours, open to others, a link or too large. */
export async function readPrivateFile(
  path: string,
  bytesMax: number = PRIVATE_FILE_BYTES_MAX,
): Promise<string | undefined> {
  let file: fs.FileHandle;
  try {
    file = await fs.open(path, O_RDONLY | O_NOFOLLOW);
  } catch (fault) {
    if (errno(fault) === 'ENOENT') return undefined;
    throw unsafe(path, errno(fault) === 'ELOOP' ? 'is a symbolic link' : fault);
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw unsafe(path, 'is not a file');
    assertOwn(path, facts);
    if (facts.size > bytesMax) throw unsafe(path, `is larger than ${bytesMax} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Writes the file whole and durably with mode 0600, replacing one of that name; MOT-0428 if the disk refuses. */
export async function writePrivateFile(directory: string, name: string, text: string): Promise<void> {
  const path = join(directory, name);
  const draft = join(directory, `.${name}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await fs.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(draft, path);
    await syncDirectory(directory);
  } catch (fault) {
    await fs.rm(draft, { force: true });
    throw unwritable(path, fault);
  }
}

/** Makes what was created or renamed in a directory survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await fs.open(path, O_RDONLY | O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Throws MOT-0423 unless the file or directory is ours and closed to group and others. */
export function assertOwn(path: string, facts: Stats): void {
  const own = process.getuid?.();
  if (own !== undefined && facts.uid !== own) throw unsafe(path, `belongs to user ${facts.uid}, this is user ${own}`);
  const mode = facts.mode & 0o777;
  if ((mode & OTHERS) !== 0) throw unsafe(path, `has mode ${mode.toString(8).padStart(4, '0')}, open to others`);
}

/** The `code` of a system error, or undefined for anything else. */
export function errno(fault: unknown): string | undefined {
  return fault instanceof Error ? (fault as NodeJS.ErrnoException).code : undefined;
}

export function unsafe(path: string, why: unknown): AuthorityFault {
  return new AuthorityFault('MOT-0423', `${path} ${typeof why === 'string' ? why : `cannot be used (${said(why)})`}`);
}

export function unwritable(path: string, fault: unknown): AuthorityFault {
  return new AuthorityFault('MOT-0428', `${path} (${said(fault)})`, { cause: fault });
}

function said(fault: unknown): string {
  return errno(fault) ?? (fault instanceof Error ? fault.message : String(fault));
}
