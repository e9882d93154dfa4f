// Every check of the house, one after the other, all of them even when one fails. `npm run check` runs this after a build.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runNode, runPackage } from './programs.mjs';

/** In the order in which a person would want to hear of it. Each answers with an exit code. */
const CHECKS = [
  ['types', () => runPackage('typescript', ['-p', 'tsconfig.test.json'], { bin: 'tsc' })],
  ['lint', () => runPackage('oxlint', ['--type-aware', '--deny-warnings'])],
  ['format', () => runPackage('@biomejs/biome', ['format', '.'], { bin: 'biome' })],
  ['import table', () => runNode(['tools/checks/import-table.mjs'])],
  ['unused code', () => runPackage('knip', ['--no-progress', '--no-config-hints'])],
  ['citations', () => runNode(['tools/citations.mjs', '--strict'])],
  ['links', () => runNode(['tools/checks/links.mjs'])],
  ['dependencies', () => runNode(['tools/checks/dependencies.mjs'])],
  ['file size', () => runNode(['tools/checks/file-size.mjs'])],
  ['words', () => runNode(['tools/checks/words.mjs'])],
  ['reference', () => runNode(['tools/reference.mjs', '--check'])],
].filter(([name]) => name !== 'reference' || existsSync(join(ROOT, 'tools/reference.mjs')));

/** @returns {number} 0 if every check passed */
export function check() {
  const failed = [];
  for (const [name, run] of CHECKS) {
    console.log(`\n== ${name}`);
    if (run() !== 0) failed.push(name);
  }
  const passed = CHECKS.length - failed.length;
  console.log(
    `\nchecks: ${passed} of ${CHECKS.length} passed${failed.length > 0 ? `; failed: ${failed.join(', ')}` : ''}`,
  );
  return failed.length > 0 ? 1 : 0;
}
