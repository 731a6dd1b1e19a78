import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SCRIPT = project('.ci/summary.mjs');

/** The lines and exit code of the closing step of `.ci/run` for a report's text (null: none was written). */
function closing(report: string | null, status: number): { readonly lines: readonly string[]; code: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'tabloom-summary-'));
  try {
    const path = join(folder, 'report.json');
    if (report !== null) writeFileSync(path, report);
    const { stdout, status: code } = spawnSync(process.execPath, [SCRIPT, path, String(status)], { encoding: 'utf8' });
    return { lines: stdout.trim().split('\n'), code };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const report = (passed: number, failed: number, skipped = 0, brokenFiles = 0): string =>
  JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
    numTodoTests: 0,
    testResults: [
      { status: failed > 0 ? 'failed' : 'passed', assertionResults: [{}] },
      ...Array.from({ length: brokenFiles }, () => ({ status: 'failed', assertionResults: [] })),
    ],
  });

test.each([
  ['all passed', report(7, 0), 0, '7 passed, 0 failed', 0],
  ['some were skipped', report(7, 0, 2), 0, '7 passed, 0 failed, 2 skipped', 0],
  ['one failed', report(6, 1), 1, '6 passed, 1 failed', 1],
  ['a file did not load', report(6, 0, 0, 1), 1, '6 passed, 1 failed', 1],
  ['an error came outside of any test', report(7, 0), 1, '7 passed, 1 failed', 1],
  ['nothing was found to run', report(0, 0), 0, '0 passed, 1 failed', 1],
  ['lint or build failed, so nothing ran', null, 1, '0 passed, 1 failed', 1],
  ['the empty file was never written', '', 0, '0 passed, 1 failed', 1],
  ['the runner died while it wrote', report(7, 0).slice(0, 40), 137, '0 passed, 1 failed', 1],
])('%s', (_name, text, status, line, code) => {
  const closed = closing(text, status);
  expect([closed.lines.at(-1), closed.code]).toEqual([line, code]);
});

test('what was left out is counted by its reason, above the last line', () => {
  const test = (status: string, leftOut?: string) => ({ status, meta: leftOut === undefined ? {} : { leftOut } });
  const text = JSON.stringify({
    numPassedTests: 1,
    numFailedTests: 0,
    numPendingTests: 4,
    numTodoTests: 0,
    testResults: [
      { status: 'passed', assertionResults: [test('passed'), test('skipped', 'no GPU'), test('skipped')] },
      { status: 'passed', assertionResults: [test('pending', 'no GPU'), test('skipped', 'no data')] },
    ],
  });
  expect(closing(text, 0)).toEqual({
    lines: [
      'Left out: 2 tests: no GPU.',
      'Left out: 1 test: not chosen for this run, or what comes before them failed.',
      'Left out: 1 test: no data.',
      '1 passed, 0 failed, 4 skipped',
    ],
    code: 0,
  });
});

test('a test that passed on its second try is named with its first error, by Vitest and from its report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tabloom-second-try-'));
  try {
    const path = join(folder, 'report.json');
    const args = [project('node_modules/vitest/vitest.mjs'), 'run', '--root', project('test/fixtures/second-try')];
    const { VITEST: _, ...env } = process.env;
    const ran = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: { ...env, TABLOOM_TEST_REPORT: path },
    });
    expect(ran.status, ran.stderr).toBe(0);
    const { lines, code } = closing(readFileSync(path, 'utf8'), 0);
    expect(code).toBe(0);
    for (const said of [ran.stdout.trim().split('\n'), lines]) {
      expect(said.filter((line) => line.startsWith('Passed on its second try: '))).toEqual([
        expect.stringMatching(/second-try\.trial\.ts > a flake > passes on its second try$/),
      ]);
      const named = said.findIndex((line) => line.startsWith('Passed on its second try: '));
      expect(said[named + 1]).toMatch(/^ {4}AssertionError: expected 'try 1' to be 'try 2'/);
      expect(said).toContain('2 passed, 0 failed');
    }
    expect(lines.at(-1)).toBe('2 passed, 0 failed');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
