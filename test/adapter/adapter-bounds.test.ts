import { describe, expect, it } from 'vitest';
import { MAX_CLASSES } from '../../signaling/protocol/limits.ts';
import { readAdapter } from '../../worker/adapter/import-adapter.ts';
import { readLoraConfig } from '../../worker/adapter/lora-config.ts';
import { encodeSafetensors } from '../../worker/model/safetensors.ts';

const SHAPE = {
  layers: 1,
  hiddenSize: 2,
  heads: 1,
  ffnSize: 4,
  vocabSize: 9,
  maxPositions: 8,
  layerNormEps: 1e-5,
  padTokenId: 1,
};
const SESSION = { alpha: 1, model: null, dropout: null };
const tensor = (name: string, ...shape: number[]) => ({
  name,
  shape,
  values: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** One file with the names of the original release, of a rank and so many classes. */
const file = (rank: number, classes: number) => ({
  name: 'a.safetensors',
  bytes: encodeSafetensors([
    tensor('roberta.encoder.layer.0.attention.self.query.lora_A', rank, 2),
    tensor('roberta.encoder.layer.0.attention.self.query.lora_B', 2, rank),
    tensor('classifier.dense.weight', 2, 2),
    tensor('classifier.dense.bias', 2),
    tensor('classifier.out_proj.weight', classes, 2),
    tensor('classifier.out_proj.bias', classes),
  ]),
});
const read = (rank: number, classes: number) => readAdapter([file(rank, classes)], SHAPE, SESSION);

describe('an adapter', () => {
  it('has as many classes and as high a rank as a session may have', async () => {
    expect(await read(1, 1)).toMatchObject({ labelCount: 1, lora: { rank: 1 } });
    expect(await read(256, MAX_CLASSES)).toMatchObject({ labelCount: 1000, lora: { rank: 256 } });
    await expect(read(1, MAX_CLASSES + 1)).rejects.toThrow('no classification head');
    await expect(read(1, 0)).rejects.toThrow('no classification head');
    await expect(read(257, 2)).rejects.toThrow('has rank 257; ranks from 1 to 256 can be trained');
  });

  it('has a configuration of at most a mebibyte', async () => {
    const config = (length: number) => ({
      name: 'adapter_config.json',
      bytes: new TextEncoder().encode(`{}${' '.repeat(length - 2)}`),
    });
    const reading = (length: number) => readAdapter([config(length), file(1, 2)], SHAPE, SESSION);
    await expect(reading(2 ** 20)).rejects.toThrow('has no peft_type');
    await expect(reading(2 ** 20 + 1)).rejects.toThrow('has 1048577 bytes; at most 1048576 are read');
  });
});

describe('a configuration', () => {
  const given = (patterns: readonly string[]) =>
    readLoraConfig(
      {
        peft_type: 'LORA',
        r: 2,
        target_modules: ['query'],
        rank_pattern: Object.fromEntries(patterns.map((p) => [p, 2])),
      },
      1,
    );

  it('has at most fifty regular expressions and two thousand names in a key', () => {
    const expressions = (count: number) => Array.from({ length: count }, (_, i) => `layer.(${i}|x)`);
    const names = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);
    expect(given(expressions(50)).refusals).toEqual([]);
    expect(given(expressions(51)).refusals.join()).toContain('more than 50 regular expressions');
    expect(given(names(2000)).refusals).toEqual([]);
    expect(given(names(2001)).refusals.join()).toContain('2001 patterns; at most 2000');
  });

  it('names at most five keys that are not known, and counts the others', () => {
    const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1]));
    const notice = (count: number) =>
      readLoraConfig({ peft_type: 'LORA', r: 2, target_modules: ['query'], ...keys(count) }, 1).notices.join();
    expect(notice(1)).toContain('a key that is not known here: "k0".');
    expect(notice(5)).toContain('"k0", "k1", "k2", "k3", "k4".');
    expect(notice(7)).toContain('"k4" and 2 more.');
  });

  it('that keeps modules whole besides the head is refused with the first five', () => {
    const refused = (names: readonly string[]) =>
      readLoraConfig({ peft_type: 'LORA', r: 2, target_modules: ['query'], modules_to_save: names }, 1).refusals.join();
    expect(refused(['classifier', 'score'])).toBe('');
    expect(refused(['a', 'classifier', 'b', 'c', 'd', 'e', 'f'])).toContain(': a, b, c, d, e were trained whole');
  });
});
