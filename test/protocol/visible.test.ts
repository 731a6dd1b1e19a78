import { expect, test } from 'vitest';
import { listed, quoted, visible, visibleLines } from '../../signaling/protocol/words/visible.ts';

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
