import { describe, expect, test } from 'vitest';
import { type ProjectFile, projectFiles } from './project-files.ts';

/** What no syntax tree tells: paths of one machine, registry addresses, files that outgrew a reader. */

const TEXT = /(^|\/)(\.npmrc|\.gitignore|LICENSE|run|system|[^/]+\.(tsx?|mjs|js|json|md|html|css|sh|py|ya?ml|wgsl))$/;

// Spelt in two halves, or this file would name them itself.
const MACHINE_PATH = new RegExp(
  `(?<![\\w.~-])/(${['wo', 'ho', 'ro', 'Us'].map((a, i) => a + ['rk', 'me', 'ot', 'ers'][i]).join('|')})/[\\w.]`,
);

/** "About 300 lines" as a number that a test can hold. */
const MAX_LINES = 360;

function offences(file: ProjectFile): readonly string[] {
  const lines = file.text.split('\n');
  return lines.flatMap((line, i) => (MACHINE_PATH.test(line) ? [`${file.path}:${i + 1} names a machine's path`] : []));
}

const files = projectFiles((path) => TEXT.test(path) && !/^models\/.*\/tokenizer\.json$/.test(path));

describe('the project', () => {
  test('has the files that are looked at', () => {
    expect(files.map((f) => f.path)).toEqual(expect.arrayContaining(['.ci/run', 'package.json', 'package-lock.json']));
  });

  test('names no path of one machine', () => {
    expect(files.flatMap(offences)).toEqual([]);
  });

  test('records no registry addresses in the lock file', () => {
    const lock = files.find((f) => f.path === 'package-lock.json');
    expect(lock?.text).not.toMatch(/"resolved": "https?:/);
    expect(lock?.text).toMatch(/"integrity": "sha512-/);
  });

  test(`keeps source files under ${MAX_LINES} lines`, () => {
    const long = files
      .filter((f) => /^(signaling|worker|web|test)\/.*\.tsx?$/.test(f.path))
      .map((f) => ({ path: f.path, lines: f.text.split('\n').length }))
      .filter((f) => f.lines > MAX_LINES);
    expect(long).toEqual([]);
  });

  test('has no dump of odds and ends', () => {
    expect(files.map((f) => f.path).filter((p) => /(^|\/)(utils?|helpers?|misc|common)(\.tsx?|\/)/.test(p))).toEqual(
      [],
    );
  });
});

test.each([
  ['/wo', 'rk/main/a.ts', 1],
  ['/ho', 'me/ann/models', 1],
  ['see /ro', 'ot/.cache', 1],
  ['file:///wo', 'rk/a', 1],
  ['../wo', 'rk/a', 0],
  ['./ho', 'me/a', 0],
  ['https://example.org/wo', 'rk/a', 0],
])('%s%s is a machine path %i times', (head, tail, count) => {
  expect(offences({ path: 'a.ts', text: head + tail })).toHaveLength(count);
});
