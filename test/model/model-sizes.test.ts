import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  MAX_CONTROL_CHARACTERS,
  MAX_DATA_MESSAGE_BYTES,
  MAX_TOKENS_PER_SAMPLE,
} from '../../signaling/protocol/limits.ts';
import { LORA_TARGETS, SessionSettingsSchema, WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import { maxTokens, parseModelConfig } from '../../worker/model/config.ts';
import { frozenBytes, frozenTensors, layerBytes } from '../../worker/model/description.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { trainingBytes } from '../../worker/model/model-preflight.ts';
import { SETTINGS } from '../protocol/samples.ts';

const HUB = new URL('../fixtures/hub/', import.meta.url);

/** Parameters as transformers counts them for RobertaModel, less those of the pooler, which classifiers lack: C (C + 1). */
const MODELS = [
  ['FacebookAI/roberta-base', 124_645_632 - 768 * 769, [496, 248, 125]],
  ['FacebookAI/roberta-large', 355_359_744 - 1024 * 1025, [1417, 709, 356]],
  ['distilbert/distilroberta-base', 82_118_400 - 768 * 769, [326, 163, 82]],
] as const;

describe.each(MODELS)('%s', (id, parameters, megabytes) => {
  const shape = async () =>
    parseModelConfig(JSON.parse(await readFile(new URL(`${id}/resolve/main/config.json`, HUB), 'utf8')));

  it('has the tensors of its configuration, and takes the bytes that the documentation says', async () => {
    const model = await shape();
    const count = frozenTensors(model).reduce((sum, { shape: dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
    expect(count).toBe(parameters);
    expect(frozenBytes(model, 'f32')).toBe(4 * parameters);
    expect(WEIGHT_STORAGES.map((storage) => Math.round(frozenBytes(model, storage) / 1e6))).toEqual(megabytes);
    // A sample's training takes less than a quarter of a gigabyte besides.
    for (const storage of WEIGHT_STORAGES)
      expect(trainingBytes(model, storage)).toBeLessThan(frozenBytes(model, storage) + 2.5e8);
  });

  it('is within the limits of sessions, with every matrix adapted at rank 64', async () => {
    const model = await shape();
    expect(maxTokens(model)).toBe(MAX_TOKENS_PER_SAMPLE);
    const lora = { rank: 64, alpha: 128, targets: [...LORA_TARGETS] };
    const settings = {
      ...SETTINGS,
      model: { kind: 'hub', id, endpoint: 'https://hub.example', revision: 'main' },
      shape: model,
      lora,
    };
    expect(v.safeParse(SessionSettingsSchema, settings).success).toBe(true);
    expect(JSON.stringify(settings).length).toBeLessThan(MAX_CONTROL_CHARACTERS / 100);
    // Parameters travel whole with the first order of a round.
    expect(4 * parameterLayout(model, lora, 3).length).toBeLessThan(MAX_DATA_MESSAGE_BYTES / 2);
  });
});

it('reckons what one sample trains with on WASM', () => {
  const model = { ...SETTINGS.shape, layers: 2, hiddenSize: 8, heads: 2, ffnSize: 16, maxPositions: 6 };
  expect(maxTokens(model)).toBe(4);
  // 4 tokens: kept by a layer 4 (7 * 8 + 16 + 2 * 4), in passing 4 (6 * 8 + 3 * 16 + 3 * 2 * 4), 4 bytes each.
  const layers = 4 * (2 * 320 + 320 + 480);
  expect(trainingBytes(model, 'f32')).toBe(frozenBytes(model, 'f32') + layerBytes(model, 'f32') + layers);
  // Stored in 16 bits, one matrix is unpacked: 8 * 16 values.
  expect(trainingBytes(model, 'f16')).toBe(frozenBytes(model, 'f16') + layerBytes(model, 'f16') + layers + 4 * 128);
  // A layer's matrices (4 of 8 by 8, 2 of 8 by 16), 6 biases and 2 norms of two vectors each.
  expect(layerBytes(model, 'f32')).toBe(4 * (4 * 64 + 2 * 128 + (5 * 8 + 16) + 4 * 8));
});
