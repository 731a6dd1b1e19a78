import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pcg4d } from '../../signaling/protocol/exchange/pcg4d.ts';
import { baseModelNotices } from '../../worker/adapter/base-model.ts';
import { readLoraConfig } from '../../worker/adapter/lora-config.ts';
import { cpuMs } from '../cpu-ms.ts';

/** What PEFT writes for `LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16, target_modules=["query", "value"])`. */
const PLAIN = {
  alora_invocation_tokens: null,
  alpha_pattern: {},
  arrow_config: null,
  auto_mapping: null,
  base_model_name_or_path: 'FacebookAI/roberta-base',
  bias: 'none',
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  exclude_modules: null,
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
  kasa_config: null,
  layer_replication: null,
  layers_pattern: null,
  layers_to_transform: null,
  loftq_config: {},
  lora_alpha: 16,
  lora_bias: false,
  lora_dropout: 0.1,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: 'megatron.core',
  modules_to_save: ['classifier', 'score'],
  peft_type: 'LORA',
  peft_version: '0.21.0',
  qalora_group_size: 16,
  r: 8,
  rank_pattern: {},
  revision: null,
  target_modules: ['value', 'query'],
  target_parameters: null,
  task_type: 'SEQ_CLS',
  trainable_token_indices: null,
  use_bdlora: null,
  use_dora: false,
  use_qalora: false,
  use_rslora: false,
  velora_config: null,
};
const read = (change: object, layers = 3) => readLoraConfig({ ...PLAIN, ...change }, layers);
const brief = (change: object, layers = 3) =>
  read(change, layers).config?.modules.map(({ layer, target, rank, alpha }) => `${layer} ${target} ${rank}/${alpha}`);

test('a plain configuration: everything is understood, and nothing is to be said', () => {
  expect(read({}, 2)).toEqual({
    config: {
      modules: [
        { layer: 0, target: 'query', rank: 8, alpha: 16 },
        { layer: 0, target: 'value', rank: 8, alpha: 16 },
        { layer: 1, target: 'query', rank: 8, alpha: 16 },
        { layer: 1, target: 'value', rank: 8, alpha: 16 },
      ],
      rankStabilised: false,
      dropout: 0.1,
      baseModel: 'FacebookAI/roberta-base',
      revision: null,
    },
    refusals: [],
    notices: [],
  });
});

test('what is not stated is what PEFT takes then', () => {
  const { config } = readLoraConfig({ peft_type: 'LORA' }, 1);
  expect(config?.modules).toEqual([
    { layer: 0, target: 'query', rank: 8, alpha: 8 },
    { layer: 0, target: 'value', rank: 8, alpha: 8 },
  ]);
});

describe('which modules are meant, as PEFT finds it', () => {
  const q = (layers: number[], target = 'query') => layers.map((layer) => `${layer} ${target} 8/16`);

  test.each([
    ['names', { target_modules: ['query'] }, q([0, 1, 2])],
    ['the end of a path', { target_modules: ['self.query'] }, q([0, 1, 2])],
    ['a whole path', { target_modules: ['roberta.encoder.layer.1.attention.self.query'] }, q([1])],
    [
      'a regular expression over the whole path',
      { target_modules: String.raw`.*layer\.[02]\.attention\.self\.query` },
      q([0, 2]),
    ],
    ['one with alternatives', { target_modules: '.*\\.(0|1)\\..*(query|nothing)' }, q([0, 1])],
    ['an excluded name', { target_modules: ['query', 'key'], exclude_modules: ['key'] }, q([0, 1, 2])],
    ['an excluded expression', { target_modules: ['query'], exclude_modules: '.*layer\\.1\\..*' }, q([0, 2])],
    ['one layer', { target_modules: ['query'], layers_to_transform: [1] }, q([1])],
    ['a layer as a number', { target_modules: ['query'], layers_to_transform: 2 }, q([2])],
    ['layers that are not there', { target_modules: ['query'], layers_to_transform: [0, 99] }, q([0])],
    ['a layers_pattern', { target_modules: ['query'], layers_to_transform: [1], layers_pattern: 'layer' }, q([1])],
    ['no layer in the list: all', { target_modules: ['query'], layers_to_transform: [] }, q([0, 1, 2])],
  ])('%s', (_, change, expected) => {
    expect(brief(change)).toEqual(expected);
  });

  test('all-linear: every projection, the head apart', () => {
    const six = ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'];
    expect(brief({ target_modules: 'all-linear' }, 1)).toEqual(six.map((target) => `0 ${target} 8/16`));
    expect(brief({ target_modules: 'All-Linear', exclude_modules: ['dense'] }, 1)).toEqual(
      six.slice(0, 3).map((target) => `0 ${target} 8/16`),
    );
  });

  test('"output.dense" is the end of two paths, "dense" of three', () => {
    expect(brief({ target_modules: ['output.dense'] }, 1)).toEqual([
      '0 attention.output.dense 8/16',
      '0 output.dense 8/16',
    ]);
    expect(brief({ target_modules: ['dense'] }, 1)).toHaveLength(3);
  });

  test('ranks and alphas by module: the first pattern that is the end of a path', () => {
    expect(
      brief({
        rank_pattern: {
          'layer.1.attention.self.query': 4,
          query: 2,
          '^roberta.encoder.layer.0.attention.self.value': 16,
        },
        alpha_pattern: { 'layer\\.[01]\\..*': 32 },
      }),
    ).toEqual(['0 query 2/32', '0 value 16/32', '1 query 4/32', '1 value 8/32', '2 query 2/16', '2 value 8/16']);
  });

  test('use_rslora is read', () => {
    expect(read({}).config?.rankStabilised).toBe(false);
    expect(read({ use_rslora: true }).config?.rankStabilised).toBe(true);
  });
});

test('150 drawn configurations: the modules and ranks that PEFT’s own functions find (test/reference/make_peft_modules.py)', () => {
  const lines = readFileSync(new URL('peft-modules.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(150);
  let none = 0;
  for (const line of lines) {
    const [config, expected]: [unknown, unknown[]] = JSON.parse(line);
    const found = readLoraConfig(config, 4).config?.modules ?? [];
    expect(
      found.map(({ layer, target, rank }) => [layer, target, rank]),
      line,
    ).toEqual(expected);
    if (expected.length === 0) none++;
  }
  expect(none).toBeLessThan(40);
});

describe('what changes numbers and cannot be honoured is refused by its name', () => {
  test.each([
    ['init_lora_weights', 'pissa', 'PiSSA'],
    ['init_lora_weights', 'pissa_niter_16', 'PiSSA'],
    ['init_lora_weights', 'olora', 'OLoRA'],
    ['init_lora_weights', 'corda', 'CorDA'],
    ['init_lora_weights', 'loftq', 'LoftQ'],
    ['init_lora_weights', 'lora_ga', 'LoRA-GA'],
    ['init_lora_weights', 'mica', 'MiCA'],
    ['init_lora_weights', 'novel', 'not known here'],
    ['use_dora', true, 'DoRA'],
    ['lora_bias', true, 'bias'],
    ['bias', 'all', 'biases'],
    ['bias', 'lora_only', 'biases'],
    ['use_qalora', true, 'QA-LoRA'],
    ['use_bdlora', { nblocks: 2 }, 'BD-LoRA'],
    ['alora_invocation_tokens', [1, 2], 'activated LoRA'],
    ['arrow_config', { top_k: 3 }, 'Arrow'],
    ['kasa_config', { beta: 1 }, 'KaSA'],
    ['monteclora_config', { n: 1 }, 'MonteCLoRA'],
    ['megatron_config', { x: 1 }, 'Megatron'],
    ['layer_replication', [[0, 2]], 'repeats'],
    ['target_parameters', ['weight'], 'parameters'],
    ['trainable_token_indices', [5], 'embeddings of tokens'],
    ['trainable_token_indices', { word_embeddings: [5] }, 'embeddings of tokens'],
    ['modules_to_save', ['classifier', 'embeddings'], 'embeddings were trained whole'],
    ['peft_type', 'IA3', 'only LoRA'],
    ['peft_type', 'ADALORA', 'only LoRA'],
    ['task_type', 'CAUSAL_LM', 'SEQ_CLS'],
    ['r', 0, 'rank'],
    ['r', 2.5, 'rank'],
    ['lora_alpha', -1, 'alpha'],
    ['rank_pattern', { query: 'four' }, 'ranks by module'],
    ['rank_pattern', ['query'], 'ranks by module'],
    ['layers_to_transform', ['one'], 'numbers of layers'],
    ['target_modules', 3, 'names or one regular expression'],
    ['use_rslora', 'yes', 'true or false'],
  ])('%s: %j', (key, value, why) => {
    const { config, refusals } = read({ [key]: value });
    expect(config).toBeNull();
    expect(refusals.join(' ')).toContain(key);
    expect(refusals.join(' ')).toContain(why);
    expect(refusals.join(' ')).toMatch(/\.$/);
  });

  test.each([
    ['target_modules', ['word_embeddings', 'query'], 'word_embeddings'],
    ['target_modules', ['nowhere'], 'no projection'],
    ['target_modules', '(?=roberta).*', '"(?=" is not read'],
    ['target_modules', '(query', 'not closed'],
    ['rank_pattern', { query: 1000 }, 'rank 1000'],
    ['rank_pattern', { query: 2.5 }, 'rank 2.5'],
    ['alpha_pattern', { query: -1 }, 'alpha -1'],
  ])('%s: %j', (key, value, why) => {
    const { config, refusals } = read({ [key]: value });
    expect(config).toBeNull();
    expect(refusals.join()).toContain(why);
  });

  test('the head adapted in place of kept whole', () => {
    expect(read({ target_modules: ['dense'], task_type: null, modules_to_save: null }).refusals.join()).toContain(
      'target_modules means classifier.dense',
    );
  });

  test('several at once are all named', () => {
    const { refusals } = read({ use_dora: true, bias: 'all', init_lora_weights: 'olora' });
    expect(refusals).toHaveLength(3);
  });

  test.each([[null], [[]], ['LORA'], [3]])('%j is no configuration', (json) => {
    expect(readLoraConfig(json, 2).refusals.join()).toContain('not a JSON object');
  });
});

describe('what does not change numbers is accepted, and said where it should be known', () => {
  test.each([[true], [false], ['gaussian'], ['orthogonal'], ['eva'], [null]])('init_lora_weights: %j', (value) => {
    expect(read({ init_lora_weights: value })).toEqual(read({}));
  });

  test('an unknown key is shown as unknown', () => {
    expect(read({ novel_option: true, 'b\u001b[31m': 1 }).notices).toEqual([
      expect.stringMatching(/^adapter_config\.json has keys that are not known here: "novel_option", "b/),
    ]);
    expect(read({ novel_option: null }).notices.join()).toContain('a key that is not known here: "novel_option"');
  });

  test('fan_in_fan_out and velora_config', () => {
    expect(read({ fan_in_fan_out: true }).notices.join()).toContain('fan_in_fan_out is true');
    expect(read({ velora_config: { num_groups: 2 } }).notices.join()).toContain('VeLoRA');
  });
});

test('the base model: other names and other revisions are said', () => {
  const hub = { kind: 'hub', endpoint: 'https://hub', id: 'FacebookAI/roberta-base', revision: 'main' } as const;
  const said = (
    baseModel: string | null,
    revision: string | null = null,
    model: Parameters<typeof baseModelNotices>[1] = hub,
  ) => baseModelNotices({ baseModel, revision }, model).join();
  for (const same of [
    'FacebookAI/roberta-base',
    'roberta-base',
    'models/roberta-base/',
    'C:\\models\\roberta-base',
    '.cache/huggingface/hub/models--FacebookAI--roberta-base/snapshots/e2da8e2f811d',
  ])
    expect(said(same)).toBe('');
  expect(said('roberta-large')).toContain('made for "roberta-large"; this session\'s model is FacebookAI/roberta-base');
  expect(said('roberta-base', 'refs/pr/1')).toContain('revision "refs/pr/1" of its model; this session\'s is main');
  expect(said('roberta-base', 'main')).toBe('');
  expect(said('roberta-base', null, { ...hub, revision: 'v2' })).toContain('revision "main"');
  expect(said('roberta-mini', null, { kind: 'embedded', id: 'roberta-mini' })).toBe('');
  expect(said(null)).toBe('');
});

test('3,000 configurations with changed values: read or refused with sentences, never slow, never anything else', () => {
  const values = [
    null,
    true,
    false,
    0,
    1,
    -1,
    2.5,
    1e308,
    '',
    'x',
    'pissa',
    '(a+)+$',
    '.*',
    [],
    ['query'],
    [0],
    [[1]],
    {},
    { query: 4 },
    { '(.*)*': 2 },
    { a: {} },
  ];
  const keys = [...Object.keys(PLAIN), '__proto__', 'constructor', 'toString'];
  const words = new Uint32Array(4);
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    words.set([i, 7, 0, 0]);
    pcg4d(words);
    const change = Object.fromEntries(
      [...words].slice(0, 1 + (i % 3)).map((word) => [keys[word % keys.length], values[(word >>> 8) % values.length]]),
    );
    const start = cpuMs();
    const { config, refusals, notices } = readLoraConfig({ ...PLAIN, ...change }, 12);
    expect(cpuMs() - start).toBeLessThan(1000);
    expect(config === null).toBe(refusals.length > 0);
    for (const sentence of [...refusals, ...notices]) expect(sentence).toMatch(/^adapter_config\.json[\s\S]*\.$/);
    if (config === null) refused++;
    else expect(config.modules.length).toBeGreaterThan(0);
  }
  expect(refused).toBeGreaterThan(1000);
  expect(refused).toBeLessThan(3000);
});

test('a value that is nested a hundred thousand times is refused like any other', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const { refusals } = readLoraConfig({ ...PLAIN, r: deep }, 12);
  expect(refusals).toEqual([expect.stringContaining('r is nested too deeply')]);
});
