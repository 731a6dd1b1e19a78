import type { Profile } from '../../signaling/protocol/profile.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import type { Engine, EngineRequest } from '../engine/engine.ts';
import { storageOf } from '../engine/part.ts';
import type { UnitStorage } from '../model/description.ts';
import { deepestTrained, type ParameterLayout, parameterLayout } from '../model/layout.ts';
import { oneLayerModel, randomWeights } from '../model/random-part.ts';
import { type MeasuredSpeed, measureSeconds } from './calibration.ts';
import { chooseEngine, requestOf } from './loading.ts';
import { probePartMemory } from './memory-probe.ts';
import { memoryOf, slowed, unitBytes, weightsOf } from './stated.ts';

const SEED = 1;

/**
 * What a device says of itself before anything of the model is fetched: a plan must exist before anybody knows which run to fetch. Seconds
 * are those of one layer, a few words and the head, with random weights at the session's shapes; bytes are those of the whole model's units.
 */
export async function measurePart(
  settings: SessionSettings,
  { slowdown, memoryLimitBytes }: { readonly slowdown: number; readonly memoryLimitBytes: number },
  create: CreateEngine = async (request) => (await chooseEngine(request)).engine,
): Promise<Omit<Profile, 'linkBitsPerSecond'>> {
  return onePart(settings, create, async (engine, { layout, model, storage }) => {
    const { shape } = settings;
    const { fixedSeconds, ...speed } = (await measureSeconds(engine, settings, model)).speed;
    const tokens = settings.training.maxTokens;
    const units = unitBytes(shape, layout, storage);
    const weightsBytes = weightsOf(engine, storage, shape, layout);
    const limitBytes = await probePartMemory(engine, {
      samples: settings.training.samplesPerRound,
      tokens,
      limitBytes: memoryLimitBytes,
      layers: model.deepest,
      otherBytes: weightsBytes - engine.bytes(1, tokens, { savedLayers: 0 }).weightsBytes,
    });
    const memoryBytesPerSecond = await engine.copyBytesPerSecond();
    const stated = slowed({ ...speed, memoryBytesPerSecond, fixedSeconds }, slowdown);
    const { fixedSeconds: fixed, ...rest } = stated;
    return {
      engine: engine.name,
      backend: engine.backend,
      ...rest,
      memory: {
        ...memoryOf(engine, tokens, limitBytes),
        weightsBytes,
        savedPerSamplePerLayer: bytesOf(engine, tokens, 2) - bytesOf(engine, tokens, 1),
      },
      parts: { fixedSeconds: fixed, ...units },
    };
  });
}

/** The seconds of `measurePart` alone, once more. */
export function measurePartAgain(
  settings: SessionSettings,
  create: CreateEngine,
  terms: { readonly budgetSeconds: number; readonly stop: AbortSignal },
): Promise<MeasuredSpeed> {
  return onePart(settings, create, (engine, { model }) => measureSeconds(engine, settings, model, terms));
}

type CreateEngine = (request: EngineRequest) => Promise<Engine>;

interface Whole {
  readonly layout: ParameterLayout;
  readonly model: { readonly layers: number; readonly deepest: number };
  readonly storage: UnitStorage;
}

/** One layer of the model's shape, a few words and the head, with random weights, for as long as it is used. */
async function onePart<T>(
  settings: SessionSettings,
  create: CreateEngine,
  use: (engine: Engine, whole: Whole) => Promise<T>,
): Promise<T> {
  const request = requestOf(settings);
  const { shape, lora, labelCount } = request;
  const layout = parameterLayout(shape, lora, labelCount);
  const engine = await create({ ...request, ...oneLayerModel(shape, lora), weights: randomWeights(SEED) });
  try {
    const model = { layers: shape.layers, deepest: deepestTrained(layout) };
    return await use(engine, { layout, model, storage: storageOf(request) });
  } finally {
    await engine.dispose();
  }
}

/** With so many open passes of one sample. What each more of them takes is what a window's micro-batches cost, a copy of its input included. */
function bytesOf(engine: Engine, tokens: number, openPasses: number): number {
  const bytes = engine.bytes(1, tokens, { savedLayers: 1, openPasses });
  return bytes.weightsBytes + bytes.transientBytes + bytes.savedBytes + bytes.gradientBytes;
}
