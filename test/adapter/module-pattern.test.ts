import { describe, expect, test } from 'vitest';
import { compilePattern } from '../../worker/adapter/module-pattern.ts';
import { cpuMs } from '../cpu-ms.ts';

describe('patterns', () => {
  test.each([
    ['a.c', 'abc', true],
    ['a.c', 'ac', false],
    ['a\\.c', 'abc', false],
    ['(ab|c)*d', 'abcabd', true],
    ['(ab|c)*d', 'abca', false],
    ['a{2,3}', 'aaa', true],
    ['a{2,3}', 'aaaa', false],
    ['a{2,}b', 'aaaab', true],
    ['a{,1}b', 'b', true],
    ['[^0-4x]+', '567', true],
    ['[^0-4x]+', '547', false],
    ['[]a]+', 'a]', true],
    ['[\\d.-]+', '1-2.3', true],
    ['^a$', 'a', true],
    ['a$b', 'ab', false],
    ['(?:a|b)?c', 'c', true],
    ['(?P<n>a)b', 'ab', true],
    ['(a*)*', 'aaa', true],
    ['', '', true],
    ['a||b', '', true],
    ['x{2', 'x{2', true],
    ['.*?e', 'abe', true],
    ['a{2}', 'aa', true],
    ['a{2}', 'aaa', false],
    ['a{2,}b', 'ab', false],
    ['a{,1}b', 'aab', false],
    ['a{0}b', 'b', true],
    ['(a)+', '', false],
    ['(a)?', 'aa', false],
    ['(?:ab){2}', 'abab', true],
    ['(.)', '\n', false],
    ['(.)$', '😀', true],
    ['^(😀)+x$', '😀😀x', true],
    ['(a)^b', 'ab', false],
    ['\\Aa\\Z', 'a', true],
    ['(b)\\Aa', 'ba', false],
    ['\\D\\d', 'x5', true],
    ['\\D', '5', false],
    ['\\w\\W', '_-', true],
    ['\\W', 'a', false],
    ['\\s\\S', ' a', true],
    ['\\S', ' ', false],
    ['\\n\\t\\r\\f\\v\\a', '\n\t\r\f\v\x07', true],
    ['[a-c]+', 'abc', true],
    ['[a-c]+', 'abd', false],
    ['[a\\-c]+', 'a-c', true],
    ['[a\\-c]+', 'b', false],
    ['[a-]+', 'a-', true],
    ['[^]]', ']', false],
    ['[^]]', 'a', true],
    ['[\\n\\]\\W]+', '\n]-', true],
    ['[a-a]', 'a', true],
  ])('%j and %j: %j', (pattern, text, expected) => {
    expect(compilePattern(pattern)(text)).toBe(expected);
  });

  test.each(['(?=a)', '(?<!a)b', '(a)\\1', 'a++', '\\bword', '(?i)a', '*a', 'a)', '[a', 'a\\', '[b-a]'])(
    '%j is refused',
    (pattern) => {
      expect(() => compilePattern(pattern)).toThrow();
    },
  );

  test.each([
    ['(a)\\', 'it ends in a backslash'],
    ['(a', 'a "(" is not closed'],
    ['(a))', 'a ")" closes nothing'],
    ['(?=a)', 'the group "(?=" is not read'],
    ['a*+', 'possessive repetition'],
    ['a{3,2}', 'the repetition {3,2} is out of range'],
    ['a{5001}', 'the repetition {5001} is out of range'],
    ['[a-\\d]', 'the wrong way round'],
    ['[\\b]', '"\\b" is not read'],
    ['?a', '"?" repeats nothing'],
  ])('%j is refused with its reason', (pattern, why) => {
    expect(() => compilePattern(pattern)).toThrow(why);
  });

  test('the longest, the deepest and the most often repeated that are read, and the first that are not', () => {
    const name = 'a'.repeat(2000);
    expect([compilePattern(name)(name), compilePattern(name)(name.slice(1))]).toEqual([true, false]);
    expect(() => compilePattern(`${name}a`)).toThrow('the pattern has 2001 characters; at most 2000 are read');
    const nested = (depth: number) => `${'('.repeat(depth)}a${')'.repeat(depth)}`;
    expect(compilePattern(nested(49))('a')).toBe(true);
    expect(() => compilePattern(nested(50))).toThrow('too deeply');
    // Groups beside each other are none in each other.
    expect(compilePattern('(a)'.repeat(60))('a'.repeat(60))).toBe(true);
    const often = compilePattern('a{4999}');
    expect([4998, 4999, 5000].map((times) => often('a'.repeat(times)))).toEqual([false, true, false]);
    expect(() => compilePattern('a{5000}')).toThrow('too many to write out');
    expect(compilePattern('a{2,2}')('aa')).toBe(true);
  });

  test('what makes backtracking explode is quick, and what is made to be large is refused', () => {
    const start = cpuMs();
    expect(compilePattern('(a+)+(a|aa)*(.*)*x')('a'.repeat(200))).toBe(false);
    expect(() => compilePattern('((a{1000}){1000}){1000}')).toThrow('too many');
    expect(() => compilePattern('((){5000}){5000}')).toThrow('too many');
    expect(() => compilePattern('('.repeat(1000))).toThrow('too deeply');
    expect(cpuMs() - start).toBeLessThan(1000);
  });
});
