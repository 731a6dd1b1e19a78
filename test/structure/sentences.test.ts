import { describe, expect, test } from 'vitest';
import { projectFiles } from './project-files.ts';
import { sentencesIn } from './sentences.ts';

/** What the page says stands in `web/words/`, so that a translation has one place to go through. */

/** Names and values that look like sentences to a program: keys of the keyboard, kinds of errors, names of styles that are put together. */
const NO_SENTENCES = new Set(
  `Enter|AbortError|not proven|field field-wrong|field checks|field checks field-wrong`.split('|'),
);

const css = projectFiles((path) => /^web\/.*\.css$/.test(path));
const styles = new Set(
  css.flatMap(({ text }) => [...text.matchAll(/\.([a-zA-Z][\w-]*)/g)].map(([, name = '']) => name)),
);
const sources = projectFiles((path) => /^web\/page\/.*\.tsx?$/.test(path));

describe('the page', () => {
  test('says nothing that does not stand in web/words', () => {
    const said = sources.flatMap(({ path, text }) =>
      sentencesIn(path, text, styles)
        .filter((sentence) => !NO_SENTENCES.has(sentence))
        .map((sentence) => `${path}: ${sentence}`),
    );
    expect(said).toEqual([]);
  });
});

test.each([
  ['<p>Two examples</p>', ['Two examples']],
  ['<p>or {one}</p>', ['or']],
  ['<Field label="rank" name="Some rank" />', ['rank']],
  ['<p class="put together">{say.hello}</p>', []],
  ["f(wide ? 'all layers alike' : 'layers differ')", ['all layers alike', 'layers differ']],
  ['`$\u007bname} has left.`', ['0 has left.']],
  ['`$\u007ba}, $\u007bb}`', []],
  ["kind === 'Not said'", []],
  ["element.querySelector('details [data-fold]')", []],
  ["type A = 'no value at all'", []],
  ["import a from 'some where'", []],
  ['<code>npm start -- --lan</code>', []],
  ["const one = 'put together'", []],
])('%s says %j', (text, said) => {
  expect(sentencesIn('a.tsx', text, new Set(['put', 'together']))).toEqual(said);
});
