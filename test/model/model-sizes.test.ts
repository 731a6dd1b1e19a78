import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  MAX_CONTROL_CHARACTERS,
  MAX_DATA_MESSAGE_BYTES,
  MAX_TOKENS_PER_SAMPLE,
} from '../../signaling/protocol/limits.ts';
import { LORA_TARGETS, SessionSettingsSchema, WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import { partOf, unitCount } from '../../signaling/protocol/split.ts';
import { maxTokens, parseModelConfig } from '../../worker/model/config.ts';
import { embeddingBytes, frozenBytes, frozenTensors, layerBytes } from '../../worker/model/description.ts';
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

describe('units of a model', () => {
  const read = async (id: string) =>
    parseModelConfig(JSON.parse(await readFile(new URL(`${id}/resolve/main/config.json`, HUB), 'utf8')));

  // Megabytes with f32, f16 and int8 weights; the head's are always f32, two classes.
  it.each([
    ['FacebookAI/roberta-base', { layer: [28.35, 14.2, 7.15], embeddings: [156, 78, 39.2], head: 2.37 }],
    ['FacebookAI/roberta-large', { layer: [50.4, 25.2, 12.7], embeddings: [208, 104, 52.2], head: 4.21 }],
  ] as const)('of %s weigh what the documentation says', async (id, want) => {
    const shape = await read(id);
    const megabytes = (bytes: number) => bytes / 1e6;
    for (const [i, storage] of WEIGHT_STORAGES.entries()) {
      expect(megabytes(layerBytes(shape, storage)), storage).toBeCloseTo(want.layer[i]!, 1);
      expect(Math.abs(megabytes(embeddingBytes(shape, storage)) - want.embeddings[i]!), storage).toBeLessThan(0.6);
    }
    const layout = parameterLayout(shape, { rank: 8, alpha: 16, targets: ['query', 'value'] }, 2);
    expect(megabytes(4 * layout.head.length)).toBeCloseTo(want.head, 2);
  });

  it('make up the model: every tensor is in one run, and runs next to each other have no bytes twice', async () => {
    const shape = await read('FacebookAI/roberta-base');
    const whole = frozenTensors(shape).map(({ name }) => name);
    for (const cuts of [[1], [13], [1, 13], [3, 4, 9]]) {
      const borders = [...cuts, unitCount(shape.layers)];
      const parts = borders.map((to, i) => partOf({ from: borders[i - 1] ?? 0, to }, shape.layers));
      expect(parts.flatMap((part) => frozenTensors(shape, part).map(({ name }) => name))).toEqual(whole);
      for (const storage of WEIGHT_STORAGES)
        expect(parts.reduce((sum, part) => sum + frozenBytes(shape, storage, part), 0)).toBe(
          frozenBytes(shape, storage),
        );
    }
    // The head is trained: nothing of it is among the frozen tensors.
    expect(frozenTensors(shape, partOf({ from: 13, to: 14 }, 12))).toEqual([]);
    expect(frozenBytes(shape, 'f16', partOf({ from: 13, to: 14 }, 12))).toBe(0);
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
