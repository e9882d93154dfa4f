// What the system says about a path, in words.

/** The reason for people; the system's own text where there is no better one. */
export function said(fault: unknown): string {
  const { code, message } = fault as NodeJS.ErrnoException;
  return WORDS.get(code ?? '') ?? message;
}

/** The same where a file was to be made: what is missing is its directory. */
export function saidOfNewFile(fault: unknown): string {
  return (fault as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such directory' : said(fault);
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission denied'],
  ['EISDIR', 'is a directory'],
  ['ELOOP', 'its links lead in a circle'],
  ['ENOENT', 'there is no such file'],
  ['ENOSPC', 'no space left'],
  ['ENOTDIR', 'a part of the path is not a directory'],
  ['EROFS', 'the file system is read-only'],
]);
