// Compiles every package that has changed, and what depends on it.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runPackage } from './programs.mjs';

/** @returns {number} the compiler's exit code */
export function build() {
  const projects = readdirSync(join(ROOT, 'packages'))
    .map((name) => join('packages', name))
    .filter((path) => existsSync(join(ROOT, path, 'tsconfig.json')));
  return runPackage('typescript', ['-b', ...projects], { bin: 'tsc' });
}
