import { expect, test } from 'vitest';
import { projectFiles } from './project-files.ts';

/** Nothing is left out of a run in silence: a test that cannot run says what it needs, in one way that the closing lines can count. */

// Spelt in halves, or this file would find itself.
const SILENT = new RegExp(
  `\\.(${['ski', 'onl', 'tod', 'skip', 'run'].map((a, i) => a + ['p', 'y', 'o', 'If', 'If'][i]).join('|')})\\b`,
);
const BESIDE = new RegExp(`\\.\\./sha${'red'}/`);

const offences = (path: string, text: string, found: RegExp): string[] =>
  text.split('\n').flatMap((line, i) => (found.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : []));

const sources = projectFiles((path) => /^test\/.*\.tsx?$/.test(path) && path !== 'test/needs.ts');

test('no test is left out but by what it needs', () => {
  const tests = sources.filter(({ path }) => path.endsWith('.test.ts'));
  expect(tests.length).toBeGreaterThan(50);
  expect(tests.flatMap(({ path, text }) => offences(path, text, SILENT))).toEqual([]);
});

test('what lies beside the project is read where test/needs.ts says so, and by programs that a person starts', () => {
  const elsewhere = sources.filter(({ path }) => !/^test\/(reference|bench)\//.test(path));
  expect(elsewhere.flatMap(({ path, text }) => offences(path, text, BESIDE))).toEqual([]);
});

test.each([
  ['test.sk', "ip('a', () => {});", SILENT, 1],
  ['describe.sk', "ipIf(gone).each(MODELS)('a', () => {});", SILENT, 1],
  ['test.on', "ly('a', () => {});", SILENT, 1],
  ["test('a', needs(GPU), () => {});", '', SILENT, 0],
  ["new URL('../../../sha", "red/hub/', import.meta.url)", BESIDE, 1],
])('%s%s is found', (head, tail, found, times) => {
  expect(offences('a.test.ts', head + tail, found)).toHaveLength(times);
});
