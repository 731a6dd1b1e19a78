import type { ModelShape, SessionSettings, WeightStorage } from '../../signaling/protocol/settings.ts';
import { WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import type { ModelPart } from '../../signaling/protocol/split.ts';
import type { EngineChoice } from '../../signaling/protocol/words/engines.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import { selfTest } from '../check/self-test.ts';
import type { Engine, EngineRequest } from '../engine/engine.ts';
import { lossOf } from '../engine/loss.ts';
import { partText, storageOf } from '../engine/part.ts';
import { maxTokens } from '../model/config.ts';
import { frozenBytes, type frozenTensors } from '../model/description.ts';
import type { ModelFiles } from '../model/open-model.ts';
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

type Test = (kind: EngineKind, storage: WeightStorage) => Promise<void>;

/** The engines of a person's choice, by their ids. */
const CHOSEN: Readonly<Record<Exclude<EngineChoice, 'auto'>, EngineKind['id']>> = {
  webgpu: 'webgpu',
  wasm: 'onnx-wasm',
};

/**
 * The first engine that runs here and passes the self-test (`test`), or the one that the device's person chose. `why` says of it what is not
 * as one might expect: which ones failed, or that the graphics processor is a driver in software.
 */
export async function chooseEngine(
  request: EngineRequest,
  test: Test = ({ create }, storage) => selfTest(create, storage),
  choice: EngineChoice = 'auto',
  kinds: readonly EngineKind[] = ENGINES,
): Promise<{ engine: Engine; why: string }> {
  if (choice !== 'auto') return { engine: await chosenEngine(request, test, choice, kinds), why: '' };
  const why: string[] = [];
  let reason: unknown = new Error('No engine runs on this device: it has neither WebGPU nor WebAssembly.');
  for (const kind of kinds) {
    if ((await kind.absent()) !== null) continue;
    const slower = await kind.slower();
    if (slower === null) continue;
    if (slower !== '') {
      why.push(slower);
      continue;
    }
    try {
      await test(kind, request.weightStorage);
      const engine = await kind.create(request);
      return { engine, why: why.length === 0 ? '' : ` (${why.join(', ')})` };
    } catch (error) {
      // A model that is at fault itself fails with the next engine, too.
      reason = error;
      why.push(`${kind.id} failed here`);
      console.warn(error instanceof Error ? error.message : String(error));
    }
  }
  throw reason;
}

/** The engine that a device computes with, as its person chose it, and what is to be said of it. */
export class OwnEngine {
  readonly #test: Test;
  choice: EngineChoice | undefined;
  #why = '';

  constructor(test: Test) {
    this.#test = test;
  }

  readonly create = async (request: EngineRequest): Promise<Engine> => {
    const { engine, why } = await chooseEngine(request, this.#test, this.choice);
    this.#why = why;
    return engine;
  };

  /** For people: what it runs on, and what is not as one might expect. */
  told(backend: string): string {
    return `${backend}${this.#why}`;
  }
}

/** @throws Error with a sentence where it does not run here. */
async function chosenEngine(
  request: EngineRequest,
  test: Test,
  choice: Exclude<EngineChoice, 'auto'>,
  kinds: readonly EngineKind[],
): Promise<Engine> {
  const kind = kinds.find(({ id }) => id === CHOSEN[choice]);
  const absent = kind === undefined ? 'It is not part of this Tabloom.' : await kind.absent();
  if (kind === undefined || absent !== null)
    throw new Error(
      `${choice === 'webgpu' ? 'WebGPU' : 'WASM'} was chosen for this device. ${absent} Choose another engine, or none.`,
    );
  await test(kind, request.weightStorage);
  return kind.create(request);
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

/** Reads tensors piece by piece, so that the store keeps them, and none of it in memory; whatever else is to be loaded goes first. */
export async function passThrough(
  files: Pick<ModelFiles, 'weights'>,
  wanted: ReturnType<typeof frozenTensors>,
  isFirst: () => boolean,
): Promise<void> {
  const take = (): void => {
    if (!isFirst()) throw new Error('Something else is loaded first.');
  };
  await (await files.weights()).stream(wanted.map((tensor) => ({ ...tensor, take })));
}
