import type { Block } from '../../../signaling/protocol/round.ts';
import { layersOf } from '../../model/layout.ts';
import type { BlockValues } from '../engine.ts';
import { blocksFrom, blocksOf, checkedBlocks } from '../part.ts';
import { alignSlice, bufferBytes, type Gpu, SLICE_ALIGNMENT, type Slice } from './device/gpu.ts';
import { LAYER_BYTES } from './kernels/kernel.ts';
import { allSteps, type Programs, sizesOf } from './programs.ts';
import type { KernelStep, ModelPlan } from './steps/steps.ts';

/** What stays on the device besides the frozen tensors: uniforms that never change, and the parameters, each block on its own. */
export class Constants {
  readonly #gpu: Gpu;
  readonly #plan: ModelPlan;
  readonly #sizes: ReadonlyMap<KernelStep, Slice>;
  readonly #layers: ReadonlyMap<number, Slice>;
  readonly #blocks: ReadonlyMap<Block, Slice>;

  constructor(gpu: Gpu, plan: ModelPlan, programs: Programs) {
    this.#gpu = gpu;
    this.#plan = plan;
    const steps = allSteps(programs);
    const sizes = sizesOf(steps);
    const uniforms = gpu.allocate('uniforms', uniformBytes(plan, programs), 'uniform');
    const place = (index: number, bytes: number): Slice => ({
      buffer: uniforms,
      offset: index * SLICE_ALIGNMENT,
      bytes,
    });
    for (const { index, words } of sizes.values()) gpu.write(place(index, words.byteLength), words);
    this.#sizes = new Map(
      steps.flatMap((step) => {
        const found = step.sizes === null ? undefined : sizes.get(step.sizes.join());
        return found === undefined ? [] : [[step, place(found.index, found.words.byteLength)] as const];
      }),
    );
    this.#layers = new Map(
      layerNumbers(plan).map((layer, index) => {
        const slice = place(sizes.size + index, LAYER_BYTES);
        gpu.write(slice, Uint32Array.of(layer, 0, 0, 0));
        return [layer, slice];
      }),
    );
    const parameters = gpu.allocate('parameters', parameterBytes(plan));
    let offset = 0;
    const next = (length: number): Slice => {
      const slice = { buffer: parameters, offset, bytes: length * 4 };
      offset += alignSlice(length * 4);
      return slice;
    };
    this.#blocks = new Map([...blocksOf(plan.layout, plan.part)].map(([block, { length }]) => [block, next(length)]));
  }

  sizes(step: KernelStep): Slice {
    return this.#sizes.get(step)!;
  }

  layer(index: number): Slice {
    return this.#layers.get(index)!;
  }

  block(block: Block): Slice | undefined {
    return this.#blocks.get(block);
  }

  setParameters(values: Float32Array): void {
    this.#put(blocksFrom(this.#plan.layout, this.#plan.part, values));
  }

  setBlocks(blocks: readonly BlockValues[]): void {
    this.#put(checkedBlocks(this.#plan.layout, this.#plan.part, blocks));
  }

  #put(blocks: readonly BlockValues[]): void {
    for (const { block, values } of blocks) this.#gpu.write(this.#blocks.get(block)!, values);
  }
}

/** Those that have a uniform: the part's layers, and 0, by which the masks of embeddings and head are keyed. */
function layerNumbers({ part }: ModelPlan): readonly number[] {
  const layers = layersOf(part);
  return (part.embeddings || part.head) && layers[0] !== 0 ? [0, ...layers] : layers;
}

function uniformBytes(plan: ModelPlan, programs: Programs): number {
  return SLICE_ALIGNMENT * (sizesOf(allSteps(programs)).size + layerNumbers(plan).length);
}

function parameterBytes({ layout, part }: ModelPlan): number {
  return [...blocksOf(layout, part).values()].reduce((sum, { length }) => sum + alignSlice(length * 4), 0);
}

/** Bytes of the buffers that `Constants` makes. */
export function constantBytes(plan: ModelPlan, programs: Programs): number {
  return bufferBytes(uniformBytes(plan, programs)) + bufferBytes(parameterBytes(plan));
}
