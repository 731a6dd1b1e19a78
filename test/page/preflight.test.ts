import { describe, expect, it } from 'vitest';
import { adapterProblem, adapterText } from '../../web/page/start/adapter-files.ts';
import { preflightWords } from '../../web/page/start/preflight-words.ts';
import { preflightOf } from './gallery/before-sessions.ts';

const source = (id: string) => ({ kind: 'hub', id, endpoint: 'https://hub', revision: 'main' }) as const;
const base = preflightOf(source('FacebookAI/roberta-base'));
const large = preflightOf(source('FacebookAI/roberta-large'));

describe('preflightWords', () => {
  it('says size, download and memory of a model that fits', () => {
    expect(preflightWords(base, 'f32')).toEqual({
      what: 'FacebookAI/roberta-base: 12 layers, 768 wide.',
      download: '500 MB to download, once; this device keeps it.',
      memory: 'Training takes 580 MB of memory at 32 bit; this tab may take 1.5 GB. It fits.',
      fits: true,
      tokenizer: expect.stringContaining('byte-level BPE with 8,192 tokens'),
      tokenizes: true,
    });
  });

  it('states what the work of a round takes besides, and what becomes of it where that is too much', () => {
    // One of 128 tokens is in the 580 MB: 128 * 494,592 + 128 * 128 * 768 bytes, 76 MB. Nine of 64: 64 * 494,592 + 64 * 64 * 768 each, 313 MB.
    const { memory } = preflightWords(base, 'f32', null, { samples: 9, maxTokens: 64 });
    expect(memory).toBe(
      'Training takes 580 MB of memory at 32 bit; this tab may take 1.5 GB. It fits. A whole round’s 9 samples at once take 817 MB at most.',
    );
    expect(preflightWords(base, 'f32', 7e8, { samples: 9, maxTokens: 64 }).memory).toContain(
      '9 samples at once would take 817 MB: it computes fewer at a time.',
    );
  });

  it('says which storage would fit, and goes with the choice', () => {
    expect(preflightWords(large, 'f32')).toMatchObject({
      fits: false,
      memory:
        'Training takes 1.6 GB of memory at 32 bit; this tab may take 1.5 GB only. It fits with weights of 16 bit (900 MB). Several devices can hold it together, each some of its layers.',
    });
    expect(preflightWords(large, 'f16').fits).toBe(true);
    const small = { ...large, memoryLimitBytes: 1e8 };
    expect(preflightWords(small, 'int8').memory).toContain(
      'No storage makes it fit here alone. Several devices can hold it together',
    );
    // Of what the person gives, too.
    expect(preflightWords(base, 'f32', 3e8)).toMatchObject({ fits: false });
    expect(preflightWords(base, 'f32', 3e8).memory).toContain('this tab may take 300 MB only');
    expect(preflightWords(base, 'f32', 9e9)).toEqual(preflightWords(base, 'f32'));
  });

  it('counts what is on the device already', () => {
    expect(preflightWords(large, 'f32').download).toBe('1.1 GB to download; 310 MB of 1.4 GB are here already.');
    const kept = { ...base, cachedBytes: base.totalBytes, downloadBytes: 0 };
    expect(preflightWords(kept, 'f32').download).toBe('All 500 MB are on this device already; nothing is downloaded.');
  });
});

describe('adapter files', () => {
  const named = (...names: string[]) => names.map((name) => ({ name, bytes: new Uint8Array(500) }));

  it('takes a PEFT folder’s two files, or one checkpoint', () => {
    expect(adapterProblem(named('adapter_config.json', 'adapter_model.safetensors', 'README.md'))).toBeNull();
    expect(adapterProblem(named('roberta_base_lora_mnli.safetensors'))).toBeNull();
    expect(adapterText(named('adapter_config.json', 'adapter_model.safetensors'))).toMatch(/^A PEFT adapter; 1.0 kB/);
    expect(adapterText(named('a.safetensors'))).toContain('alpha below');
  });

  it.each([
    [['adapter_model.bin'], 'is a pickle'],
    [['adapter_config.json'], 'together with adapter_config.json'],
    [['a.safetensors', 'b.safetensors'], 'Choose one adapter: a.safetensors and b.safetensors are 2.'],
    [[], 'of a PEFT folder'],
  ])('says what is wrong with %j', (names, part) => {
    expect(adapterProblem(named(...names))).toContain(part);
  });
});
