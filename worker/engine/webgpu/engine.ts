import type { WeightStorage } from '../../../signaling/protocol/settings.ts';
import { wholePart } from '../../../signaling/protocol/split.ts';
import { parameterLayout } from '../../model/layout.ts';
import { checkedBatch } from '../checked-batch.ts';
import type { Engine, EngineRequest, Pass, PassOptions } from '../engine.ts';
import { plainLoss } from '../loss.ts';
import { hiddenWrappers, isHeadAlone, storageOf } from '../part.ts';
import { AtWork } from './at-work.ts';
import { Constants, constantBytes } from './constants.ts';
import { timeCopies } from './device/device-copy-rate.ts';
import { bufferBytes, Gpu } from './device/gpu.ts';
import { type OpenedDevice, openDevice, WebGpuError } from './device/open-device.ts';
import { chooseTile } from './device/tiles.ts';
import { frozenBufferBytes, loadFrozenBuffers } from './frozen.ts';
import { type Precision, requireMultipleOf4, type WeightPrecision } from './kernels/kernel.ts';
import { SHARING, type Tile } from './kernels/tile.ts';
import { passBytes } from './memory.ts';
import { SubmissionPace } from './pace.ts';
import { WebGpuPass } from './pass.ts';
import { allSteps, kernelsOf, makePrograms } from './programs.ts';
import { recovering } from './recovery.ts';
import type { ModelPlan } from './steps/steps.ts';
import { type PassMemory, Storage } from './storage.ts';

/** How the engine uses a device; none of it changes what is computed but by rounding. */
export interface WebGpuChoices {
  readonly precision: Precision;
  readonly weights: WeightPrecision;
  readonly tile: Tile;
  readonly attentionThreads: ModelPlan['attentionThreads'];
}

/** An engine and the device that is its own. */
export type DeviceEngine = Engine & { readonly gpu: Gpu };

/**
 * RoBERTa with frozen weights on this machine's WebGPU, in kernels of our own, the shape of their work tried out on the device. When the
 * device is lost, what was under way fails, and the next pass begins on a new device.
 * @throws RangeError for a model whose widths the kernels cannot take; WebGpuError where there is no device, or it fails.
 */
export async function createWebGpuEngine(request: EngineRequest, gpu: GPU | undefined = ownGpu()): Promise<Engine> {
  return recovering(() => openEngine(request, gpu));
}

async function openEngine(request: EngineRequest, gpu: GPU | undefined): Promise<DeviceEngine> {
  requireWidths(request);
  const { shape } = request;
  const opened = await openDevice(gpu);
  const wrapped = new Gpu(opened.device);
  try {
    const stored = precisionsFor(request.weightStorage, opened.hasF16);
    const { tile } = await chooseTile(wrapped, opened, { ...shape, ...stored });
    const attentionThreads = attentionThreadsFor(shape.hiddenSize / shape.heads, opened);
    return await createEngineOn(wrapped, opened.description, request, { ...stored, tile, attentionThreads });
  } catch (error) {
    wrapped.dispose();
    throw error;
  }
}

function ownGpu(): GPU | undefined {
  // Node has no navigator before version 21.
  return 'navigator' in globalThis && 'gpu' in navigator ? navigator.gpu : undefined;
}

/**
 * A session of f16 weights has f16 activations, too, where the device has the type; where not, it unpacks the same weights to compute
 * in f32. Activations beside 8-bit matrices stay f32: the codes are coarse enough.
 */
export function precisionsFor(storage: WeightStorage, hasF16: boolean): Pick<WebGpuChoices, 'precision' | 'weights'> {
  if (storage !== 'f16') return { precision: 'f32', weights: storage };
  return hasF16 ? { precision: 'f16', weights: 'f16' } : { precision: 'f32', weights: 'packed' };
}

/** Tables that are kept like all other matrices are read like them; those that are not, as they are kept. */
function embeddingPrecision(request: EngineRequest, weights: WeightPrecision): WeightPrecision {
  const { layers, embeddings } = storageOf(request);
  if (embeddings === layers) return weights;
  // Two halves in a word, where they are not what is computed with.
  return embeddings === 'f16' ? 'packed' : embeddings;
}

const WEIGHTS_IN_WORDS: Readonly<Record<WeightPrecision, string>> = {
  f32: '',
  f16: ', half precision',
  packed: ', 16-bit weights',
  int8: ', 8-bit weights',
};

/**
 * Registers for three rows of 64 are more than most GPUs give a thread: heads are shared there. Small ones, too, so that the self-test,
 * which has small ones, finds out a device whose neighbouring threads are not each other's neighbours.
 */
function attentionThreadsFor(
  headSize: number,
  { smallestSubgroup, isSoftware }: Pick<OpenedDevice, 'smallestSubgroup' | 'isSoftware'>,
): ModelPlan['attentionThreads'] {
  if (isSoftware) return smallestSubgroup >= SHARING ? 'sharing' : 'alone';
  if (smallestSubgroup < 4) return 'alone';
  return headSize <= 64 ? 'pairs' : 'quads';
}

function requireWidths({ shape }: EngineRequest): void {
  requireMultipleOf4('hidden size', shape.hiddenSize);
  requireMultipleOf4('feed-forward size', shape.ffnSize);
  requireMultipleOf4('head size', shape.hiddenSize / shape.heads);
}

/** The engine on a device that is its own from here on, and ends with it. */
export async function createEngineOn(
  gpu: Gpu,
  description: string,
  request: EngineRequest,
  choices: WebGpuChoices,
): Promise<DeviceEngine> {
  requireWidths(request);
  const { shape, lora, labelCount, loss = plainLoss(labelCount), withDropout } = request;
  const { part = wholePart(shape.layers) } = request;
  const layout = parameterLayout(shape, lora, labelCount);
  const embeddings = embeddingPrecision(request, choices.weights);
  const plan: ModelPlan = { shape, lora, labelCount, loss, layout, part, withDropout, ...choices, embeddings };
  const programs = makePrograms(plan);
  try {
    const [frozen] = await Promise.all([
      loadFrozenBuffers(gpu, plan, request.weights, (done, total) =>
        request.onProgress?.({ stage: 'weights', done, total }),
      ),
      gpu.prepare(kernelsOf(allSteps(programs)), (done, total) =>
        request.onProgress?.({ stage: 'compile', done, total }),
      ),
    ]);
    const constants = await gpu.allocated(() => new Constants(gpu, plan, programs));
    const storage = new Storage(gpu, plan);
    const pace = new SubmissionPace();
    const host = { gpu, plan, programs, frozen, constants, storage, pace, atWork: new AtWork() };
    const weightsBytes =
      frozenBufferBytes(plan).reduce((sum, bytes) => sum + bufferBytes(bytes), 0) + constantBytes(plan, programs);

    const rowsOf = (samples: number, tokens: number) => samples * (isHeadAlone(part) ? 1 : tokens);

    const begin = async (batch: Parameters<Engine['begin']>[0], options: PassOptions): Promise<Pass> => {
      gpu.check();
      const checked = checkedBatch(batch, shape, labelCount, loss, part);
      if (options.dropout.probability > 0 && !request.withDropout)
        throw new RangeError('This engine was made for passes without dropout.');
      const samples = checked.lengths.length;
      const savedLayers = Math.max(0, part.layers.to - Math.max(part.layers.from, options.saveFrom));
      const asked = { rows: samples * checked.tokens, samples, savedLayers, recompute: options.recompute ?? false };
      // What the pass at work has on the device may have to make room.
      host.atWork.set(null);
      const memory = await storage.take(asked);
      return new WebGpuPass(host, checked, options, asked, memory);
    };

    return {
      name: 'webgpu',
      backend: `WebGPU, ${description}${WEIGHTS_IN_WORDS[plan.weights]}`,
      shape,
      layout,
      part,
      openPasses: Number.POSITIVE_INFINITY,
      gpu,
      setParameters: async (values) => {
        gpu.check();
        constants.setParameters(values);
      },
      setBlocks: async (blocks) => {
        gpu.check();
        constants.setBlocks(blocks);
      },
      ...hiddenWrappers(part, shape.hiddenSize),
      begin,
      computesPadding: false,
      recomputes: true,
      bytes: (samples, tokens, needs) => ({
        weightsBytes,
        ...passBytes(plan, rowsOf(samples, tokens), samples, needs),
      }),
      fits: async (samples, tokens, { savedLayers, openPasses = 1, recompute = false }) => {
        if (storage.open > 0) throw new Error('A pass is still open: dispose of it before memory is tried out.');
        const taken: PassMemory[] = [];
        try {
          const asked = { rows: rowsOf(samples, tokens), samples, savedLayers, recompute };
          do taken.push(await storage.take(asked));
          while (taken.length < openPasses);
          await storage.touch();
          return true;
        } catch (error) {
          if (!(error instanceof WebGpuError) || error.kind === 'invalid' || error.kind === 'unavailable') throw error;
          return false;
        } finally {
          for (const memory of taken) storage.giveBack(memory);
          storage.release();
        }
      },
      copyBytesPerSecond: () => timeCopies(gpu),
      dispose: async () => gpu.dispose(),
    };
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}
