/**
 * Usage: node .ci/summary.mjs REPORT STATUS
 *
 * Turns Vitest's JSON report and the exit status of the test command into one closing line and an exit code. Success needs all three:
 * a report, at least one test that passed, and a command that ended well.
 */
import { readFileSync } from 'node:fs';

const [path = '', status = '1'] = process.argv.slice(2);

/** @returns {{ passed: number, failed: number, skipped: number } | null} null where the tests did not come to an end */
function readReport() {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    const files = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
    return {
      passed: report.numPassedTests,
      // A file that could not be loaded has no tests to count, yet it failed.
      failed: report.numFailedTests + files.length,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return null;
  }
}

const counts = readReport() ?? { passed: 0, failed: 0, skipped: 0 };
const ended = Number(status) === 0 && counts.passed > 0;
if (!ended && counts.failed === 0) {
  console.log(counts.passed > 0 ? 'The test command failed outside of any test.' : 'The tests did not run.');
  counts.failed = 1;
}
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
