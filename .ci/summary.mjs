/**
 * Usage: node .ci/summary.mjs REPORT STATUS
 *
 * Turns Vitest's JSON report and the exit status of the test command into the closing lines (what passed on its second try and why; what was
 * left out and why; the counts) and an exit code. Success needs all three: a report, at least one test that passed, and a command that ended well.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [path = '', status = '1'] = process.argv.slice(2);

/** Of an error that a second try took back; a browser's has the console's last lines below it. */
const ERROR_LINES = 12;

/**
 * The lines about a test that passed when it was tried again: such a test has errors all the same.
 * @returns {string[]}
 */
function secondTry(file, test) {
  const [error] = test.failureMessages ?? [];
  if (test.status !== 'passed' || error === undefined) return [];
  const name = [relative(process.cwd(), file.name), ...test.ancestorTitles, test.title].join(' > ');
  const lines = error.split('\n').slice(0, ERROR_LINES);
  return [`Passed on its second try: ${name}`, ...lines.map((line) => `    ${line.trimEnd()}`)];
}

/**
 * Null where the tests did not come to an end. `leftOut` counts the reasons that tests give in their `meta` (test/needs.ts).
 * @returns {{ passed: number, failed: number, skipped: number, leftOut: Map<string, number>, secondTries: string[] }
 *   | null}
 */
function readReport() {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    const files = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
    const leftOut = new Map();
    for (const test of report.testResults.flatMap((file) => file.assertionResults)) {
      if (test.status === 'passed' || test.status === 'failed') continue;
      const reason = test.meta?.leftOut ?? 'not chosen for this run, or what comes before them failed';
      leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
    }
    return {
      passed: report.numPassedTests,
      // A file that could not be loaded has no tests to count, yet it failed.
      failed: report.numFailedTests + files.length,
      skipped: report.numPendingTests + report.numTodoTests,
      leftOut,
      secondTries: report.testResults.flatMap((file) => file.assertionResults.flatMap((test) => secondTry(file, test))),
    };
  } catch {
    return null;
  }
}

const counts = readReport() ?? { passed: 0, failed: 0, skipped: 0, leftOut: new Map(), secondTries: [] };
const ended = Number(status) === 0 && counts.passed > 0;
if (!ended && counts.failed === 0) {
  console.log(counts.passed > 0 ? 'The test command failed outside of any test.' : 'The tests did not run.');
  counts.failed = 1;
}
for (const line of counts.secondTries) console.log(line);
for (const [reason, tests] of counts.leftOut)
  console.log(`Left out: ${tests} ${tests === 1 ? 'test' : 'tests'}: ${reason}.`);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
