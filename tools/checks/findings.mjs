// What the checks of the house share: which files there are, and how a finding is told.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', 'build', 'motte-data']);

/** The tree to check: `--root DIR`, or the clone this file is in. */
export function rootFromArguments() {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  return values.root ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..');
}

/** Paths, relative to the root, of all files that are or could be committed. */
export function ownFiles(root) {
  if (!existsSync(join(root, '.git'))) return walk(root, '');
  const parameters = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', parameters, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
}

function walk(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? walk(root, path) : [path];
    });
}

/** Prints the findings, or one line saying what was found in order, and sets the exit code. */
export function tell(findings, inOrder) {
  for (const finding of findings) console.error(finding);
  if (findings.length === 0) console.log(inOrder);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
