import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { MODEL_CHUNK_BYTES } from '../../signaling/protocol/exchange/model-messages.ts';
import type { LoraSettings } from '../../signaling/protocol/settings.ts';
import { type Made, type MadePart, mismatchOf } from '../../web/session/rounds/audits/compare.ts';
import { toleranceFor } from '../../web/session/rounds/audits/tolerance.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import { parseModelConfig } from '../../worker/model/config.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { openWeights } from '../../worker/model/weights.ts';

const MODEL = fileURLToPath(new URL('../../models/roberta-mini/', import.meta.url));
const LORA: LoraSettings = { rank: 4, alpha: 8, targets: ['query', 'value'] };
const [SAMPLES, TOKENS] = [2, 6];
const BATCH = {
  ids: Int32Array.from({ length: SAMPLES * TOKENS }, (_, i) => (i % TOKENS === 0 ? 0 : 40 + 97 * i)),
  lengths: new Int32Array(SAMPLES).fill(TOKENS),
  labels: Float32Array.of(0, 1),
  positions: Int32Array.of(0, 1),
  tokens: TOKENS,
};

/** What a device with this file of weights makes of the samples. */
async function madeWith(file: Uint8Array): Promise<Made> {
  const shape = parseModelConfig(JSON.parse(await readFile(`${MODEL}config.json`, 'utf8')));
  const weights = await openWeights(bytesSource(file));
  const request = { shape, lora: LORA, labelCount: 2, withDropout: false, weightStorage: 'f32' } as const;
  const engine = await createReferenceEngine({ ...request, weights });
  const layout = parameterLayout(shape, LORA, 2);
  await engine.setParameters(randomValues(layout.length, 3, 0.05));
  const { gradient, lossSum } = await lossAndGradient(engine, BATCH);
  const parts = new Map<MadePart, Float32Array>(
    layout.layers.map(({ offset, length }, layer) => [layer, gradient.subarray(offset, offset + length)]),
  );
  return { parts, lossSum };
}

it('what is computed with a false chunk of the weights differs from what others compute, unless they have it, too', async () => {
  const right = new Uint8Array(await readFile(`${MODEL}model.safetensors`));
  // The last chunk's values, one place further on: as many, as large, and none where it belongs.
  const wrong = right.slice();
  wrong.set(right.subarray(MODEL_CHUNK_BYTES, right.length - 2), MODEL_CHUNK_BYTES + 2);
  const [honest, deceived, alike] = [await madeWith(right), await madeWith(wrong), await madeWith(wrong)];
  const found = (claimed: Made, by: Made) => mismatchOf(claimed, by, SAMPLES, toleranceFor('f32', []), () => 0);
  expect(found(deceived, honest)).not.toBeNull();
  // Nobody can tell who was deceived: the honest one differs from it just as much.
  expect(found(honest, deceived)).not.toBeNull();
  expect(found(deceived, alike)).toBeNull();
  expect(found(honest, await madeWith(right))).toBeNull();
});
