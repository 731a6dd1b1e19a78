import { describe, expect, it } from 'vitest';
import { type FolderWorld, gatherFolder } from '../../web/session/chunks/gather-folder.ts';

/** A host that tells of one more file each time that there is news; files of two chunks. */
function scene(files: readonly string[], change: Partial<FolderWorld> = {}) {
  const did: string[] = [];
  let told = 0;
  let over = false;
  const world: FolderWorld = {
    isOver: () => over,
    told: () => files.slice(0, told),
    announce: async () => {
      did.push(`announce ${told}`);
      return true;
    },
    chunksOf: (file) => [0, 1].map((chunk) => ({ file, chunk })),
    bring: async (places) => void did.push(places.map(({ file, chunk }) => `${file} ${chunk}`).join(', ')),
    wanted: async () => [{ file: 'model.safetensors', chunk: 1 }],
    news: async () => {
      told++;
      if (told > 10) over = true;
    },
    ...change,
  };
  return { did, world };
}

describe('a model from a folder of the host’s', () => {
  it('is brought small files first and whole, then the weights’ headers, then what is needed', async () => {
    const { did, world } = scene(['tokenizer.json', 'config.json', 'model.safetensors']);
    await gatherFolder(world);
    expect(did).toEqual([
      'announce 3',
      'tokenizer.json 0, tokenizer.json 1, config.json 0, config.json 1, model.safetensors 0',
      'model.safetensors 1',
    ]);
  });

  it('in several files is waited for until the host has told of all', async () => {
    let asked = 0;
    const { did, world } = scene(['config.json', 'a.safetensors', 'b.safetensors'], {
      wanted: async () => {
        if (++asked < 2) throw new Error('The index names b.safetensors, which is not there.');
        return [{ file: 'b.safetensors', chunk: 1 }];
      },
    });
    await gatherFolder(world);
    expect(did.filter((line) => line.startsWith('announce'))).toEqual(['announce 2', 'announce 3']);
    expect(did.at(-1)).toBe('b.safetensors 1');
  });

  it('is given up where the session ends, and where this device keeps nothing', async () => {
    const ended = scene(['config.json']);
    await gatherFolder(ended.world);
    expect(ended.did).toEqual([]);
    const { did, world } = scene(['config.json', 'model.safetensors'], { announce: async () => false });
    await gatherFolder(world);
    expect(did).toEqual([]);
  });
});
