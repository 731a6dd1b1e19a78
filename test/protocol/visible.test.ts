import { expect, test } from 'vitest';
import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';
import { brief, listed, quoted, visible, visibleLines } from '../../signaling/protocol/text/visible.ts';

test.each([
  ['plain, with accents é and 漢字', 'plain, with accents é and 漢字'],
  ['tab\tand\r\n', 'tab\\tand\\r\\n'],
  ['\u001b[31mred', '\\u001b[31mred'],
  ['\u202etxt.exe', '\\u202etxt.exe'],
  ['half \ud83d of a pair', 'half \\ud83d of a pair'],
  // Joiners belong to words and emoji.
  ['👩\u200d🚀', '👩\u200d🚀'],
])('%j is shown as %j', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test('of several lines only the breaks stay', () => {
  expect(visibleLines('a\nb\u0007\r\nc')).toBe('a\nb\\u0007\\r\nc');
});

test('what is quoted ends after 40 characters', () => {
  expect(quoted('x'.repeat(40))).toBe(`"${'x'.repeat(40)}"`);
  expect(quoted('x'.repeat(41))).toBe(`"${'x'.repeat(40)}…"`);
});

test('of names the first twelve are listed, and the others counted', () => {
  const names = Array.from({ length: 14 }, (_, i) => `n${i}`);
  expect(listed(names.slice(0, 12))).toBe(names.slice(0, 12).join(', '));
  expect(listed(names)).toBe(`${names.slice(0, 12).join(', ')}, 2 more`);
  expect(listed([])).toBe('none');
  expect(listed(['y'.repeat(61), 'a\nb'])).toBe(`${'y'.repeat(60)}…, a\\nb`);
});

test('somebody else’s words are cut where they go on, escapes counted', () => {
  expect(brief('short')).toBe('short');
  expect(brief('z'.repeat(160))).toBe('z'.repeat(160));
  expect(brief('z'.repeat(161))).toBe(`${'z'.repeat(160)}…`);
  expect(brief('\u0001'.repeat(160))).toBe(`${'\\u0001'.repeat(26)}\\u00…`);
  expect(brief('😀'.repeat(9), 5)).toBe('😀😀…');
});

test('an error that a person is told quotes nothing whole', () => {
  const error = new SentenceError(`It says ${'\u001b[2J'.repeat(1000)}.`);
  expect(error.message).toMatch(/^It says [^\p{C}]{800,900}…$/u);
});
