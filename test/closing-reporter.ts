import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What became of a run's tests; files and suites that failed to load have no tests to count and still count as failed. */
interface Closing {
  passed: number;
  failed: number;
  /** Reasons of tests that were left out, and how many each. */
  readonly leftOut: Map<string, number>;
  /** Tests that passed when they were tried again: a line each, with what went wrong first below it. */
  readonly secondTries: string[];
}

/** Of an error that a second try took back; a browser's has the console's last lines below it. */
const ERROR_LINES = 12;

const UNSAID = 'not chosen for this run, or what comes before them failed';

function secondTry(module: TestModule, test: TestCase): readonly string[] {
  if (test.diagnostic()?.flaky !== true) return [];
  const [error] = test.result().errors ?? [];
  const lines = (error?.stack ?? error?.message ?? 'It did not say why.').split('\n').slice(0, ERROR_LINES);
  const name = `${module.relativeModuleId} > ${test.fullName}`;
  return [[`Passed on its second try: ${name}`, ...lines.map((line) => `    ${line.trimEnd()}`)].join('\n')];
}

function count(modules: readonly TestModule[]): Closing {
  const closing: Closing = { passed: 0, failed: 0, leftOut: new Map(), secondTries: [] };
  for (const module of modules) {
    const before = closing.failed;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      closing.secondTries.push(...secondTry(module, test));
      if (state === 'passed') closing.passed++;
      else if (state === 'failed') closing.failed++;
      else {
        const reason = test.meta().leftOut ?? UNSAID;
        closing.leftOut.set(reason, (closing.leftOut.get(reason) ?? 0) + 1);
      }
    }
    if (module.state() === 'failed' && closing.failed === before) closing.failed++;
  }
  return closing;
}

/** The same lines as `.ci/summary.mjs`, which also knows whether lint and build went well. */
export class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const { passed, failed, leftOut, secondTries } = count(modules);
    for (const one of secondTries) console.log(one);
    for (const [reason, tests] of leftOut)
      console.log(`Left out: ${tests} ${tests === 1 ? 'test' : 'tests'}: ${reason}.`);
    const skipped = [...leftOut.values()].reduce((sum, tests) => sum + tests, 0);
    const all = failed + (failed === 0 && errors.length > 0 ? 1 : 0);
    console.log(`${passed} passed, ${all} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
}
