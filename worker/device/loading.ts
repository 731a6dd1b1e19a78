import type { ModelShape, SessionSettings, WeightStorage } from '../../signaling/protocol/settings.ts';
import { WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import type { ModelPart } from '../../signaling/protocol/split.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import { selfTest } from '../check/self-test.ts';
import type { Engine, EngineRequest } from '../engine/engine.ts';
import { lossOf } from '../engine/loss.ts';
import { partText, storageOf } from '../engine/part.ts';
import { maxTokens } from '../model/config.ts';
import { frozenBytes } from '../model/description.ts';
import { ENGINES, type EngineKind } from './engines.ts';

/** What of an engine's request the session says. */
export const requestOf = ({ shape, lora, task, training, weights, embeddings }: SessionSettings) => ({
  shape,
  lora,
  labelCount: task.labelCount,
  loss: lossOf(task, training),
  weightStorage: weights,
  ...(embeddings && { embeddingStorage: embeddings }),
  withDropout: training.dropout > 0,
});

/** The first engine that runs here and passes the self-test (`test`); `failed` says which ones did not. */
export async function chooseEngine(
  request: EngineRequest,
  test: (kind: EngineKind, storage: WeightStorage) => Promise<void> = ({ create }, storage) =>
    selfTest(create, storage),
): Promise<{ engine: Engine; failed: string }> {
  const failed: string[] = [];
  let reason: unknown = new Error('No engine runs on this device: it has neither WebGPU nor WebAssembly.');
  for (const kind of ENGINES) {
    if ((await kind.absent()) !== null || !(await kind.trains())) continue;
    try {
      await test(kind, request.weightStorage);
      const engine = await kind.create(request);
      return { engine, failed: failed.length === 0 ? '' : ` (${failed.join(', ')} failed here)` };
    } catch (error) {
      // A model that is at fault itself fails with the next engine, too.
      reason = error;
      failed.push(kind.id);
      console.warn(error instanceof Error ? error.message : String(error));
    }
  }
  throw reason;
}

/** Every engine holds at least the frozen tensors in the session's storage. */
export function refuseTooLarge(
  { model, shape, weights, embeddings }: SessionSettings,
  part: ModelPart,
  memoryLimitBytes: number,
): void {
  const kept = storageOf({ weightStorage: weights, ...(embeddings && { embeddingStorage: embeddings }) });
  const bytes = frozenBytes(shape, kept, part);
  if (bytes <= memoryLimitBytes) return;
  const lean = WEIGHT_STORAGES.find((storage) => frozenBytes(shape, storage, part) <= memoryLimitBytes);
  const isWhole = part.embeddings && part.head && part.layers.to - part.layers.from === shape.layers;
  throw new Error(
    `The weights of ${isWhole ? '' : `${partText(part)} of `}${model.id} take ${bytesText(bytes)} here, and training may use ${bytesText(memoryLimitBytes)}.${
      lean === undefined ? '' : ` A session with ${lean} weights takes ${bytesText(frozenBytes(shape, lean, part))}.`
    }`,
  );
}

export function refuseOtherShape(found: ModelShape, expected: ModelShape): void {
  for (const [key, value] of Object.entries(expected))
    if (Object.entries(found).find(([name]) => name === key)?.[1] !== value)
      throw new Error(
        `The model's config.json and the session disagree about ${key}; was the model changed meanwhile?`,
      );
}

export function refuseLongSamples({ training, shape }: SessionSettings): void {
  if (training.maxTokens > maxTokens(shape))
    throw new Error(
      `The session's samples have up to ${training.maxTokens} tokens; the model takes ${maxTokens(shape)}.`,
    );
}
