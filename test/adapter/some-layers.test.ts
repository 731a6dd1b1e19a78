import { expect, test } from 'vitest';
import { scaleOf } from '../../signaling/protocol/adapters.ts';
import { LORA_TARGETS, type LoraSettings } from '../../signaling/protocol/settings.ts';
import { exportAdapter } from '../../worker/adapter/export-adapter.ts';
import { readAdapter } from '../../worker/adapter/import-adapter.ts';
import { peftConfig } from '../../worker/adapter/peft.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { headerBytes, parseHeader } from '../../worker/model/safetensors.ts';
import { fileOf, SHAPE, textOf, trained } from './trained.ts';

const OWN: Omit<LoraSettings, 'targets'> = {
  rank: 2,
  alpha: 12,
  layers: [1, 3],
  rankPattern: { 3: 4 },
  alphaPattern: { 1: 6 },
  rslora: true,
};
const FOUR_LAYERS = { ...SHAPE, layers: 4 };

test('adapters that differ from layer to layer: PEFT’s own keys say so, and only where they do', () => {
  const config = (targets: LoraSettings['targets']) => peftConfig({ ...OWN, targets }, 0, 'm');
  expect(config(['query', 'output.dense', 'attention.output.dense'])).toMatchObject({
    r: 2,
    lora_alpha: 12,
    target_modules: ['query', 'output.dense', 'attention.output.dense'],
    layers_to_transform: [1, 3],
    rank_pattern: {
      'encoder.layer.3.attention.self.query': 4,
      'encoder.layer.3.attention.output.dense': 4,
      'encoder.layer.3.output.dense': 4,
    },
    alpha_pattern: {
      'encoder.layer.1.attention.self.query': 6,
      'encoder.layer.1.attention.output.dense': 6,
      'encoder.layer.1.output.dense': 6,
    },
    use_rslora: true,
  });
  // PEFT refuses layers_to_transform beside a regular expression.
  const expression = config(['output.dense']);
  expect(expression).not.toHaveProperty('layers_to_transform');
  expect(expression.target_modules).toBe('roberta\\.encoder\\.layer\\.(1|3)\\.(output\\.dense)');
  const plain = peftConfig({ rank: 2, alpha: 4, targets: ['query'] }, 0, 'm');
  for (const key of ['layers_to_transform', 'rank_pattern', 'alpha_pattern', 'use_rslora'])
    expect(plain).not.toHaveProperty(key);
});

test.each([[['query', 'value']], [['output.dense']], [[...LORA_TARGETS]]] as [LoraSettings['targets']][])(
  'exported and imported, adapters on %j of two layers are the same to the bit',
  async (targets) => {
    const adapter = trained({ ...OWN, targets }, 3, FOUR_LAYERS);
    const files = exportAdapter(adapter);
    const bytes = fileOf(files, 'adapter_model.safetensors');
    const { tensors } = parseHeader(
      bytes.subarray(0, 8 + headerBytes(bytes.subarray(0, 8), bytes.length)),
      bytes.length,
    );
    const layers = [...tensors.keys()].flatMap((name) => /layer\.(\d)\./.exec(name)?.[1] ?? []);
    expect(new Set(layers)).toEqual(new Set(['1', '3']));
    const imported = await readAdapter(files, FOUR_LAYERS, { alpha: 99, model: null, dropout: null });
    expect(parameterLayout(FOUR_LAYERS, imported.lora, 3)).toEqual(adapter.layout);
    // Of two ranks that are as frequent the lower layer's is the common one, and so with alpha.
    const { alphaPattern: _, ...rest } = OWN;
    expect(imported.lora).toEqual({ ...rest, targets, alpha: 6, alphaPattern: { 3: 12 } });
    for (const layer of [1, 3]) expect(scaleOf(imported.lora, layer)).toBe(scaleOf(adapter.lora, layer));
    expect(imported.values).toEqual(adapter.values);
    expect(textOf(files, 'README.md')).toContain(
      'rank 2 (4 in layer 3), alpha 12 (6 in layer 1), rank-stabilised, in layers 1 and 3 alone, on ',
    );
  },
);

test('ranks that differ within a layer, and projections from layer to layer, are refused with the reason', async () => {
  const targets: LoraSettings['targets'] = ['query', 'value'];
  const files = exportAdapter(trained({ ...OWN, targets }, 3, FOUR_LAYERS));
  const reading = (change: object) => {
    const config = new TextEncoder().encode(
      JSON.stringify({ ...JSON.parse(textOf(files, 'adapter_config.json')), ...change }),
    );
    const changed = files.map((file) => (file.name === 'adapter_config.json' ? { ...file, bytes: config } : file));
    return readAdapter(changed, FOUR_LAYERS, { alpha: 1, model: null, dropout: null });
  };
  await expect(reading({ rank_pattern: { query: 4 } })).rejects.toThrow(
    "The adapter's ranks differ within layer 1 (rank_pattern): 4 on query, 2 on value; a session trains one rank for each layer.",
  );
  await expect(reading({ alpha_pattern: { value: 1 } })).rejects.toThrow(
    "The adapter's alphas differ within layer 1 (alpha_pattern): 12 on query, 1 on value; a session trains one alpha for each layer.",
  );
  await expect(reading({ exclude_modules: '.*3.*query' })).rejects.toThrow(
    'The adapter is on query, value of layer 1 and on value of layer 3; a session trains the same projections in every layer.',
  );
});
