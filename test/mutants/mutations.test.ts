import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../structure/project-files.ts';
import { AREAS, areaOf } from './areas.ts';
import { readArguments, USAGE } from './arguments.ts';
import { mutated, mutationsOf } from './mutations.ts';

const changes = (text: string): readonly string[] => mutationsOf(text).map((mutation) => mutated(text, mutation));

describe('changes on purpose', () => {
  it.each([
    ['return a + b;', ['return a - b;']],
    ['return a <= 2;', ['return a < 2;', 'return a <= 3;']],
    ['if (!ok) return;', ['if (ok) return;', 'if (false) return;']],
    ['let x = bits / 32;', ['let x = bits * 32;', 'let x = bits / 256;']],
    ['x += -y;', ['x -= -y;', 'x += y;']],
    ['return a ? b : c;', ['return a ? c : b;']],
    ['return Math.min(a, b);', ['return Math.max(a, b);']],
    ['await pass.dispose();', [';']],
    ['return a! * (b as number);', ['return a! / (b as number);']],
  ])('%s', (text, expected) => {
    expect(changes(`async function f() { ${text} }`)).toEqual(expected.map((one) => `async function f() { ${one} }`));
  });

  it('leave types, imports, texts and what is thrown as they are', () => {
    const text = [
      "import { a } from './a.ts';",
      'type Two = 2 | { readonly n: 3 };',
      "function f(x: 1 | 2): string { throw new Error('more than ' + 3); }",
      "const name = 'a' + b;",
      'const none = [-1, 1e-9];',
    ].join('\n');
    expect(mutationsOf(text)).toEqual([]);
  });

  it('are told by tests that exist', () => {
    for (const { tests } of AREAS)
      for (const path of tests) {
        expect(existsSync(new URL(path, ROOT)), path).toBe(true);
      }
    expect(areaOf('worker/learn/merge.ts')?.tests).toContain('test/learn');
    expect(areaOf('worker/engine/dropout.ts')?.project).toBe('engine');
    expect(areaOf('signaling/cli/plan-command.ts')).toBeUndefined();
  });
});

describe('what is asked for', () => {
  it('is paths, and how many changes of which draw', () => {
    expect(readArguments(['worker/learn'])).toEqual({ paths: ['worker/learn'], count: 40, seed: 1, line: null });
    expect(readArguments(['a', '--count', '3', 'b', '--seed', '5', '--line', '70'])).toEqual({
      paths: ['a', 'b'],
      count: 3,
      seed: 5,
      line: 70,
    });
  });

  it.each([
    [],
    ['--help'],
    ['a', '--help'],
    ['a', '--counts', '3'],
    ['a', '--count'],
    ['a', '--seed', 'x'],
    ['--line', '3'],
  ])('is answered with one sentence where it is %j %j %j', (...argv) => {
    expect(readArguments(argv)).toBeNull();
    expect(USAGE).toMatch(/^Name the sources[^\n]*\.$/);
  });
});
