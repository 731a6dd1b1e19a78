import { parameterLayout } from '../../model/layout.ts';
import { checkedBatch } from '../batch.ts';
import type { Engine, EngineRequest, Pass, PassOptions } from '../engine.ts';
import { Constants, constantBytes } from './constants.ts';
import type { OpenedDevice } from './device.ts';
import { frozenBytes, loadFrozen } from './frozen.ts';
import { bufferBytes, Gpu } from './gpu.ts';
import { type Precision, requireMultipleOf4 } from './kernel.ts';
import type { Tile } from './kernels/tile.ts';
import { passBytes } from './memory.ts';
import { Pace } from './pace.ts';
import { WebGpuPass } from './pass.ts';
import { allSteps, kernelsOf, makePrograms } from './programs.ts';
import type { ModelPlan } from './steps.ts';
import { Storage } from './storage.ts';

/** How the engine uses a device; none of it changes what is computed but by rounding. */
export interface WebGpuChoices {
  readonly precision: Precision;
  readonly tile: Tile;
  readonly attentionLanes: ModelPlan['attentionLanes'];
}

/**
 * RoBERTa with frozen weights in kernels of our own. The device is the engine's from here on and ends with it.
 * @throws RangeError for a model whose widths the kernels cannot take, WebGpuError where the device fails.
 */
export async function createEngineOn(
  opened: OpenedDevice,
  request: EngineRequest,
  choices: WebGpuChoices,
): Promise<Engine & { readonly gpu: Gpu }> {
  const { shape, lora, labelCount } = request;
  requireMultipleOf4('hidden size', shape.hiddenSize);
  requireMultipleOf4('feed-forward size', shape.ffnSize);
  requireMultipleOf4('head size', shape.hiddenSize / shape.heads);
  const layout = parameterLayout(shape, lora, labelCount);
  const plan: ModelPlan = { shape, lora, labelCount, layout, withDropout: request.withDropout, ...choices };
  const programs = makePrograms(plan);
  const gpu = new Gpu(opened.device);
  try {
    await gpu.prepare(kernelsOf(allSteps(programs)), (done, total) =>
      request.onProgress?.({ stage: 'compile', done, total }),
    );
    const frozen = await loadFrozen(gpu, plan, request.weights, (done, total) =>
      request.onProgress?.({ stage: 'weights', done, total }),
    );
    const constants = await gpu.allocated(() => new Constants(gpu, plan, programs));
    const storage = new Storage(gpu, plan);
    const host = { gpu, plan, programs, frozen, constants, storage, pace: new Pace() };
    const weightsBytes =
      frozenBytes(plan).reduce((sum, bytes) => sum + bufferBytes(bytes), 0) + constantBytes(plan, programs);

    let open = false;
    const begin = async (batch: Parameters<Engine['begin']>[0], options: PassOptions): Promise<Pass> => {
      if (open) throw new Error('Another pass is still open: dispose of it before the next begins.');
      gpu.check();
      const checked = checkedBatch(batch, shape, labelCount);
      if (options.dropout.probability > 0 && !request.withDropout)
        throw new RangeError('This engine was made for passes without dropout.');
      open = true;
      try {
        const samples = checked.lengths.length;
        const savedLayers = Math.max(0, shape.layers - options.saveFrom);
        await storage.reserve(samples * checked.tokens, samples, savedLayers);
        return new WebGpuPass(host, checked, options, () => {
          open = false;
        });
      } catch (error) {
        open = false;
        throw error;
      }
    };

    return {
      name: 'webgpu',
      backend: `WebGPU, ${opened.description}${plan.precision === 'f16' ? ', half precision' : ''}`,
      shape,
      layout,
      gpu,
      setParameters: async (values) => {
        gpu.check();
        constants.setParameters(values);
      },
      begin,
      bytes: (samples, tokens, savedLayers) => ({
        weightsBytes,
        ...passBytes(plan, samples * tokens, samples, savedLayers),
      }),
      dispose: async () => gpu.dispose(),
    };
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}
