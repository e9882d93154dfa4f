// Counts a report of vitest so that nothing that went wrong is counted as nothing.

/**
 * A file that could not be loaded has no tests, and an error outside a test belongs to none: each is one failure.
 * @param {{testResults: {status: string, assertionResults: {status: string}[]}[]}} report vitest's JSON
 * @param {number} code vitest's exit code
 */
export function countTests(report, code) {
  const statuses = report.testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const count = (wanted) => statuses.filter((status) => status === wanted).length;
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const passed = count('passed');
  const failed = count('failed') + unloaded;
  const skipped = statuses.length - passed - count('failed');
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, skipped };
}

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
