import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ModelSourceSchema } from '../../signaling/protocol/settings.ts';
import { folderProblem, folderSource, modelFilesOf } from '../../web/page/folder/model-folder.ts';

const file = (webkitRelativePath: string, size = 10, lastModified = 5) => ({
  name: webkitRelativePath.split('/').at(-1)!,
  ...{ webkitRelativePath, size, lastModified },
});
const WHOLE = ['config.json', 'tokenizer.json', 'model.safetensors'].map((name) => file(`My model (2)/${name}`));

describe('the files of a folder', () => {
  it('are a model’s by their names, and not from folders within it', () => {
    const all = [
      ...WHOLE,
      file('My model (2)/README.md'),
      file('My model (2)/pytorch_model.bin'),
      file('My model (2)/runs/config.json'),
      file('My model (2)/model-00001-of-00002.safetensors'),
      file('My model (2)/model.safetensors.index.json'),
    ];
    expect(modelFilesOf(all).map(({ name }) => name)).toEqual([
      'config.json',
      'tokenizer.json',
      'model.safetensors',
      'model-00001-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
    // Files that were dropped by themselves have no path.
    expect(modelFilesOf([{ ...file('config.json'), webkitRelativePath: '' }])).toHaveLength(1);
  });

  it.each([
    [[], 'Choose the folder of a model'],
    [['tokenizer.json'], 'has no config.json'],
    [['config.json', 'model.safetensors'], 'has no tokenizer.json'],
    [['config.json', 'tokenizer.json'], 'has no model.safetensors'],
    [['config.json', 'tokenizer.json', 'model.safetensors.index.json'], 'none of the safetensors files'],
  ])('%s are not enough', (names, sentence) => {
    expect(folderProblem(names.map((name) => ({ name })))).toContain(sentence);
  });

  it('are enough with the weights in one file or in several', () => {
    expect(folderProblem(WHOLE)).toBeNull();
    const shards = [
      'config.json',
      'tokenizer.json',
      'model.safetensors.index.json',
      'model-00001-of-00002.safetensors',
    ];
    expect(folderProblem(shards.map((name) => ({ name })))).toBeNull();
  });

  it('are named by the folder, and are another revision when one of them changed', () => {
    const source = folderSource(WHOLE);
    expect(v.parse(ModelSourceSchema, source)).toEqual(source);
    expect(source).toMatchObject({ kind: 'hub', id: 'folder/My-model-2', endpoint: 'http://folder.invalid' });
    expect(folderSource([...WHOLE].reverse())).toEqual(source);
    const [first, ...rest] = WHOLE;
    for (const changed of [
      { ...first!, size: 11 },
      { ...first!, lastModified: 6 },
    ])
      expect(folderSource([changed, ...rest])).not.toEqual(source);
    for (const odd of ['../..', '...', 'ü', ''])
      expect(v.is(ModelSourceSchema, folderSource([file(`${odd}/config.json`)])), odd).toBe(true);
  });
});
