import { describe, expect, it } from 'vitest';
import { dataFingerprint, type Example } from '../../worker/data/example.ts';

/** FNV-1a over UTF-16 code units, each text ended by 0x10000, in whole numbers of any size. */
function fnv(texts: readonly string[]): number {
  let hash = 0x811c9dc5n;
  const mix = (value: number): void => {
    hash = ((hash ^ BigInt(value)) * 0x01000193n) & 0xffffffffn;
  };
  for (const text of texts) {
    for (let i = 0; i < text.length; i++) mix(text.charCodeAt(i));
    mix(0x10000);
  }
  return Number(hash);
}

const plain = (text: string, label: number): Example => ({ text, pair: null, label });
const train: Example[] = [plain('naïve café 📱', 1), { text: 'one', pair: 'two', label: 0 }];
const dev: Example[] = [plain('three', 2.5)];

describe('the fingerprint of data', () => {
  it('is FNV-1a of texts, pairs and labels in their order, with a mark after each part', () => {
    const parts = ['naïve café 📱', '1', 'one', 'two', '0', '', 'three', '2.5', ''];
    expect(dataFingerprint({ train, dev })).toBe(fnv(parts));
  });

  it.each<[string, readonly Example[], readonly Example[]]>([
    ['a word moves from a text to the next', [plain('a b', 0), plain('c', 0)], [plain('a', 0), plain('b c', 0)]],
    ['a text becomes its pair', [{ text: 'a', pair: 'b', label: 0 }], [{ text: 'b', pair: 'a', label: 0 }]],
    ['a pair is another', [{ text: 'a', pair: 'b', label: 0 }], [{ text: 'a', pair: 'c', label: 0 }]],
    ['a pair is there, and empty', [{ text: 'a', pair: '', label: 0 }], [plain('a', 0)]],
    ['a label is another', [plain('a', 0)], [plain('a', 1)]],
    ['the order is another', [plain('a', 0), plain('b', 0)], [plain('b', 0), plain('a', 0)]],
    ['a text ends in the label', [plain('a1', 0)], [plain('a', 10)]],
  ])('is another where %s', (_, one, other) => {
    expect(dataFingerprint({ train: one, dev })).not.toBe(dataFingerprint({ train: other, dev }));
  });

  it('is another where an example goes from training to the dev set', () => {
    const [first, second] = [plain('a', 0), plain('b', 1)];
    expect(dataFingerprint({ train: [first, second], dev: [] })).not.toBe(
      dataFingerprint({ train: [first], dev: [second] }),
    );
  });
});
