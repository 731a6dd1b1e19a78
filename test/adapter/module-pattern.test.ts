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
  ])('%j and %j: %j', (pattern, text, expected) => {
    expect(compilePattern(pattern)(text)).toBe(expected);
  });

  test.each(['(?=a)', '(?<!a)b', '(a)\\1', 'a++', '\\bword', '(?i)a', '*a', 'a)', '[a', 'a\\', '[b-a]'])(
    '%j is refused',
    (pattern) => {
      expect(() => compilePattern(pattern)).toThrow();
    },
  );

  test('what makes backtracking explode is quick, and what is made to be large is refused', () => {
    const start = cpuMs();
    expect(compilePattern('(a+)+(a|aa)*(.*)*x')('a'.repeat(200))).toBe(false);
    expect(() => compilePattern('((a{1000}){1000}){1000}')).toThrow('too many');
    expect(() => compilePattern('((){5000}){5000}')).toThrow('too many');
    expect(() => compilePattern('('.repeat(1000))).toThrow('too deeply');
    expect(cpuMs() - start).toBeLessThan(1000);
  });
});
