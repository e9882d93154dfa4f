// Makes a directory with those above it. Not `mkdir` with `recursive`: where a parent says "no such file" although it is
// there, as /proc does, Node 20 tries again for ever.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** What is missing of `path` is made, open to nobody else; throws what mkdir says. */
export function makeDirectories(path: string): void {
  const missing: string[] = [];
  for (let at = path; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.push(at);
  for (const directory of missing.reverse()) mkdirSync(directory, { mode: 0o700 });
}
