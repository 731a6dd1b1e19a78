import { expect, test } from 'vitest';
import { MAX_CLASSES, MAX_TOKENS_PER_SAMPLE } from '../../signaling/protocol/limits.ts';
import { readTaskFile, type TaskFile } from '../../worker/adapter/task-file.ts';

const FILE: TaskFile = { kind: 'classification', classNames: ['a', 'b'], threshold: 0.5, maxTokens: 64 };
const bytesOf = (change: object): Uint8Array => new TextEncoder().encode(JSON.stringify({ ...FILE, ...change }));

test.each<[string, object]>([
  ['a threshold of just above 0', { threshold: 1e-9 }],
  ['a threshold of just below 1', { threshold: 0.999 }],
  ['samples of one token', { maxTokens: 1 }],
  ['samples of as many tokens as there may be', { maxTokens: MAX_TOKENS_PER_SAMPLE }],
  ['as many classes as there may be', { classNames: Array(MAX_CLASSES).fill('a') }],
  ['no classes', { kind: 'regression', classNames: [] }],
  ['a class of a thousand letters', { classNames: ['a'.repeat(1000)] }],
])('a file of outputs is read with %s', (_, change) => {
  expect(readTaskFile(bytesOf(change))).toEqual({ ...FILE, ...change });
});

test.each<[string, object]>([
  ['a threshold of 0', { threshold: 0 }],
  ['a threshold of 1', { threshold: 1 }],
  ['samples of no token', { maxTokens: 0 }],
  ['samples of half a token', { maxTokens: 1.5 }],
  ['too many tokens', { maxTokens: MAX_TOKENS_PER_SAMPLE + 1 }],
  ['too many classes', { classNames: Array(MAX_CLASSES + 1).fill('a') }],
  ['a class of more than a thousand letters', { classNames: ['a'.repeat(1001)] }],
  ['a kind that is none', { kind: 'guessing' }],
])('a file of outputs is refused with %s', (_, change) => {
  expect(() => readTaskFile(bytesOf(change))).toThrow('export the adapter again');
});

test('a file of outputs has at most a mebibyte', () => {
  const padded = (length: number) => {
    const bytes = new Uint8Array(length).fill(32);
    bytes.set(bytesOf({}));
    return bytes;
  };
  expect(readTaskFile(padded(2 ** 20))).toEqual(FILE);
  expect(() => readTaskFile(padded(2 ** 20 + 1))).toThrow('export the adapter again');
});
