import { alignSlice, bufferBytes, type Gpu, SLICE_ALIGNMENT, type Slice } from './device/gpu.ts';
import { LAYER_BYTES } from './kernels/kernel.ts';
import { allSteps, type Programs, sizesOf } from './programs.ts';
import type { KernelStep, ModelPlan } from './steps/steps.ts';

/** What stays on the device besides the frozen tensors: uniforms that never change, and the parameters, each block on its own. */
export class Constants {
  readonly #gpu: Gpu;
  readonly #plan: ModelPlan;
  readonly #sizes: ReadonlyMap<KernelStep, Slice>;
  readonly #layers: readonly Slice[];
  readonly #blocks: readonly Slice[];
  readonly #head: Slice;

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
    this.#layers = Array.from({ length: plan.shape.layers }, (_, layer) => {
      const slice = place(sizes.size + layer, LAYER_BYTES);
      gpu.write(slice, Uint32Array.of(layer, 0, 0, 0));
      return slice;
    });
    const { layers, head } = plan.layout;
    const parameters = gpu.allocate('parameters', parameterBytes(plan));
    let offset = 0;
    const next = (length: number): Slice => {
      const slice = { buffer: parameters, offset, bytes: length * 4 };
      offset += alignSlice(length * 4);
      return slice;
    };
    this.#blocks = layers.map(({ length }) => next(length));
    this.#head = next(head.length);
  }

  sizes(step: KernelStep): Slice {
    return this.#sizes.get(step)!;
  }

  layer(index: number): Slice {
    return this.#layers[index]!;
  }

  block(layer: number): Slice {
    return this.#blocks[layer]!;
  }

  get head(): Slice {
    return this.#head;
  }

  setParameters(values: Float32Array): void {
    const { layers, head, length } = this.#plan.layout;
    if (values.length !== length)
      throw new RangeError(`The model has ${length} trainable values; ${values.length} were given.`);
    layers.forEach(({ offset, length: count }, layer) => {
      if (count === 0) return;
      this.#gpu.write(this.block(layer), values.subarray(offset, offset + count));
    });
    this.#gpu.write(this.#head, values.subarray(head.offset, head.offset + head.length));
  }
}

function uniformBytes(plan: ModelPlan, programs: Programs): number {
  return SLICE_ALIGNMENT * (sizesOf(allSteps(programs)).size + plan.shape.layers);
}

function parameterBytes({ layout }: ModelPlan): number {
  return layout.layers.reduce((sum, { length }) => sum + alignSlice(length * 4), layout.head.length * 4);
}

/** Bytes of the buffers that `Constants` makes. */
export function constantBytes(plan: ModelPlan, programs: Programs): number {
  return bufferBytes(uniformBytes(plan, programs)) + bufferBytes(parameterBytes(plan));
}
