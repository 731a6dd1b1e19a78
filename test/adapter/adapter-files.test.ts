import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LORA_TARGETS, type LoraSettings } from '../../signaling/protocol/settings.ts';
import { exportAdapter } from '../../worker/adapter/export-adapter.ts';
import { readAdapter } from '../../worker/adapter/import-adapter.ts';
import { peftConfig, peftSlotName, peftTensorName } from '../../worker/adapter/peft.ts';
import type { ExportedFile } from '../../worker/api/host-api.ts';
import { parseModelConfig } from '../../worker/model/config.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { encodeSafetensors, headerBytes, parseHeader } from '../../worker/model/safetensors.ts';
import { needs, REAL_ADAPTER, REAL_ADAPTER_FILE } from '../needs.ts';
import { fileOf, SHAPE, textOf, trained } from './trained.ts';

test('the folder holds what PEFT saves, under its names', () => {
  const adapter = trained({ rank: 2, alpha: 16, targets: ['query', 'value'] });
  const files = exportAdapter(adapter);
  expect(files.map(({ name }) => name)).toEqual([
    'adapter_config.json',
    'adapter_model.safetensors',
    'README.md',
    'tabloom.json',
  ]);

  const bytes = fileOf(files, 'adapter_model.safetensors');
  const header = parseHeader(bytes.subarray(0, 8 + headerBytes(bytes.subarray(0, 8), bytes.length)), bytes.length);
  expect(header.metadata.get('format')).toBe('pt');
  expect([...header.tensors.keys()].sort()).toEqual(
    [
      ...[0, 1].flatMap((layer) =>
        ['query', 'value'].flatMap((target) =>
          ['lora_A', 'lora_B'].map(
            (matrix) => `base_model.model.roberta.encoder.layer.${layer}.attention.self.${target}.${matrix}.weight`,
          ),
        ),
      ),
      'base_model.model.classifier.dense.weight',
      'base_model.model.classifier.dense.bias',
      'base_model.model.classifier.out_proj.weight',
      'base_model.model.classifier.out_proj.bias',
    ].sort(),
  );
  expect(
    header.tensors.get('base_model.model.roberta.encoder.layer.1.attention.self.value.lora_B.weight'),
  ).toMatchObject({
    dtype: 'F32',
    shape: [8, 2],
  });

  expect(JSON.parse(textOf(files, 'adapter_config.json'))).toEqual({
    base_model_name_or_path: 'roberta-mini',
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: 16,
    lora_dropout: 0.1,
    modules_to_save: ['classifier'],
    peft_type: 'LORA',
    r: 2,
    target_modules: ['query', 'value'],
    task_type: 'SEQ_CLS',
  });
});

test('the card says what it is, how it was made and what it scored', () => {
  const card = textOf(exportAdapter(trained({ rank: 2, alpha: 16, targets: ['query', 'value'] })), 'README.md');
  expect(card).toMatch(/^---\nbase_model: roberta-mini\nlibrary_name: peft\n/);
  expect(card).toContain('Dev accuracy (20 examples): 0.7123 after round 40, 0.35 after round 0. F1: 0.6.');
  expect(card).toContain('id2label={0: "entailment", 1: "neutral", 2: "contradiction"}');
  expect(card).toContain('rank 2, alpha 16, on query, value');
  expect(card).toContain('Trained together by 3 devices with Tabloom.');
  const unscored = textOf(
    exportAdapter({ ...trained({ rank: 2, alpha: 16, targets: ['query'] }, 1), scores: [] }),
    'README.md',
  );
  expect(unscored).toContain('It has not been evaluated.');
  expect(unscored).toContain('num_labels=1');
});

test.each([
  [['query', 'value']],
  [[...LORA_TARGETS]],
  [['output.dense']],
  [['key', 'intermediate.dense', 'output.dense']],
] as [LoraSettings['targets']][])('exported and imported, %j are the same to the bit', async (targets) => {
  const adapter = trained({ rank: 3, alpha: 12, targets });
  const imported = await readAdapter(exportAdapter(adapter), SHAPE, { alpha: 99, model: null, dropout: null });
  expect(imported.lora).toEqual(adapter.lora);
  expect(imported.labelCount).toBe(3);
  expect(imported.values).toEqual(adapter.values);
});

test('target_modules matches the layers meant and no others, by PEFT’s rule', () => {
  const modules = [
    'attention.self.query',
    'attention.self.key',
    'attention.self.value',
    'attention.output.dense',
    'intermediate.dense',
    'output.dense',
  ].map((module) => `roberta.encoder.layer.11.${module}`);
  const others = ['classifier.dense', 'classifier.out_proj', 'roberta.embeddings.word_embeddings'];
  // A list entry matches the end of a path after a dot; a string is a regular expression over the whole of it.
  const matches = (rule: unknown, path: string) =>
    typeof rule === 'string'
      ? new RegExp(`^(?:${rule})$`).test(path)
      : Array.isArray(rule) && rule.some((end) => path === end || path.endsWith(`.${end}`));
  for (let mask = 1; mask < 64; mask++) {
    const targets = LORA_TARGETS.filter((_, i) => mask & (1 << i));
    const rule = peftConfig({ rank: 1, alpha: 1, targets }, 0, 'm').target_modules;
    expect([...modules, ...others].filter((path) => matches(rule, path))).toEqual(
      modules.filter((_, i) => mask & (1 << i)),
    );
  }
});

test('names: both ways, and as older versions wrote them', () => {
  for (const target of LORA_TARGETS) {
    const slot = `lora.layer.10.${target}.B`;
    expect(peftSlotName(peftTensorName(slot))).toBe(slot);
  }
  expect(peftSlotName('base_model.model.classifier.modules_to_save.default.out_proj.bias')).toBe(
    'classifier.out_proj.bias',
  );
  expect(peftSlotName('base_model.model.classifier.modules_to_save.dense.weight')).toBe('classifier.dense.weight');
  expect(peftSlotName('roberta.encoder.layer.0.attention.self.query.lora_A')).toBe('lora.layer.0.query.A');
  expect(
    peftSlotName('base_model.model.roberta.encoder.layer.0.attention.self.query.lora_magnitude_vector'),
  ).toBeNull();
});

test(
  'the original release’s MNLI checkpoint: 294,912 values of LoRA, 592,899 of the head',
  needs(REAL_ADAPTER),
  async () => {
    const hub = '../fixtures/hub/FacebookAI/roberta-base/resolve/main/config.json';
    const shape = parseModelConfig(JSON.parse(readFileSync(new URL(hub, import.meta.url), 'utf8')));
    const name = 'roberta_base_lora_mnli.safetensors';
    const bytes = readFileSync(REAL_ADAPTER_FILE);
    const { lora, labelCount, values } = await readAdapter([{ name, bytes }], shape, {
      alpha: 16,
      model: null,
      dropout: null,
    });
    expect(lora).toEqual({ rank: 8, alpha: 16, targets: ['query', 'value'] });
    expect(labelCount).toBe(3);
    const layout = parameterLayout(shape, lora, 3);
    expect(layout.head.offset).toBe(294_912);
    expect(layout.head.length).toBe(592_899);
    // Spot values of the checkpoint.
    const slot = (slotName: string) => {
      const { offset, length } = [...layout.layers, layout.head]
        .flatMap((b) => b.slots)
        .find((s) => s.name === slotName)!;
      return values.subarray(offset, offset + length);
    };
    expect([...slot('lora.layer.0.query.A').subarray(0, 3)]).toEqual([
      expect.closeTo(0.0104984, 7),
      expect.closeTo(-0.0241888, 7),
      expect.closeTo(0.0761483, 7),
    ]);
    expect(Math.hypot(...slot('lora.layer.0.query.A'))).toBeCloseTo(3.51909, 5);
    expect(Math.hypot(...slot('lora.layer.0.query.B'))).toBeCloseTo(2.88562, 5);
    expect([...slot('classifier.out_proj.bias')]).toEqual([
      expect.closeTo(-0.0471257, 7),
      expect.closeTo(0.0525932, 7),
      expect.closeTo(-0.0129442, 7),
    ]);
  },
);

test('a dropout other than the session’s is said, and none where they agree', async () => {
  // Trained with 0.1.
  const files = exportAdapter(trained({ rank: 2, alpha: 16, targets: ['query', 'value'] }));
  const noticesAt = async (dropout: number | null) =>
    (await readAdapter(files, SHAPE, { alpha: 1, model: { kind: 'embedded', id: 'roberta-mini' }, dropout })).notices;
  expect(await noticesAt(0)).toEqual([
    "The adapter was trained with a dropout of 0.1 on its inputs; this session's is 0.",
  ]);
  expect(await noticesAt(0.1)).toEqual([]);
  expect(await noticesAt(null)).toEqual([]);
});

test('adapters that cannot be trained here are refused with the reason', async () => {
  const files = exportAdapter(trained({ rank: 2, alpha: 16, targets: ['query', 'value'] }));
  const withConfig = (change: object) =>
    files.map((file) =>
      file.name === 'adapter_config.json'
        ? {
            name: file.name,
            bytes: new TextEncoder().encode(JSON.stringify({ ...JSON.parse(textOf(files, file.name)), ...change })),
          }
        : file,
    );
  const reading = (given: readonly ExportedFile[], shape = SHAPE) =>
    readAdapter(given, shape, { alpha: 1, model: null, dropout: null });
  await expect(reading(withConfig({ peft_type: 'IA3' }))).rejects.toThrow('only LoRA adapters can be trained');
  await expect(reading(withConfig({ r: 4 }))).rejects.toThrow(
    'lora.layer.0.query.A has shape [2, 8]; this model needs [4, 8]',
  );
  await expect(reading([{ name: 'adapter_model.bin', bytes: new Uint8Array(4) }])).rejects.toThrow('is a pickle');
  await expect(reading([])).rejects.toThrow('no adapter_model.safetensors');
  await expect(reading(files, { ...SHAPE, layers: 3 })).rejects.toThrow(
    'has no lora.layer.2.query.A; was it trained for this model?',
  );
  await expect(reading(files, { ...SHAPE, layers: 1 })).rejects.toThrow(
    'holds lora.layer.1.query.A, which adapter_config.json does not name',
  );
  await expect(reading(files, { ...SHAPE, hiddenSize: 12 })).rejects.toThrow(
    'lora.layer.0.query.A has shape [2, 8]; this model needs [2, 12]',
  );
  const lora = (layer: number) => ({
    name: `roberta.encoder.layer.${layer}.attention.self.query.lora_A`,
    shape: [1, 8],
    values: new Float32Array(8),
  });
  const headless = encodeSafetensors([lora(0), lora(1)]);
  await expect(reading([{ name: 'a.safetensors', bytes: encodeSafetensors([lora(1)]) }])).rejects.toThrow(
    'no classification head',
  );
  await expect(reading([{ name: 'a.safetensors', bytes: headless }])).rejects.toThrow('no classification head');
  const head = encodeSafetensors([{ name: 'classifier.out_proj.bias', shape: [2], values: new Float32Array(2) }]);
  await expect(reading([{ name: 'a.safetensors', bytes: head }])).rejects.toThrow('no LoRA matrices for any layer');
  const wide = encodeSafetensors([{ ...lora(0), shape: [0, 8], values: new Float32Array(0) }, lora(1)]);
  await expect(reading([{ name: 'a.safetensors', bytes: wide }])).rejects.toThrow('has rank 0; ranks from 1 to');

  const spoilt = trained({ rank: 2, alpha: 16, targets: ['query'] });
  spoilt.values[5] = Number.NaN;
  await expect(reading(exportAdapter(spoilt))).rejects.toThrow('lora.layer.0.query.A holds a value that is not finite');
});
