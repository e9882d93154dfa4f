// Runs the whole suite, or what is named, and closes with one plain line that a person or a program can read.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPackage } from './programs.mjs';
import { closingLine, countTests } from './test-counts.mjs';

/** Names, comma-separated, the Debian packages that this machine lacks; tests that need one of them skip themselves by it. */
export const LACKS_VARIABLE = 'MOTTE_TEST_LACKS';

/** @param {string[]} rest passed to vitest. @returns {number} 0 if every test passed */
export function test(rest) {
  const folder = mkdtempSync(join(tmpdir(), 'motte-test-'));
  const report = join(folder, 'report.json');
  try {
    const code = runPackage('vitest', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...rest,
    ]);
    const lacking = process.env[LACKS_VARIABLE];
    if (lacking) console.log(`skipped for want of: ${lacking.replaceAll(',', ', ')}`);
    const counts = countTests(JSON.parse(readFileSync(report, 'utf8')), code);
    console.log(closingLine(counts));
    return counts.failed > 0 ? code || 1 : code;
  } catch (fault) {
    console.error(`motte: no report of the tests: ${fault.message}`);
    console.log(closingLine({ passed: 0, failed: 1, skipped: 0 }));
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
