import { fromHalf, toHalf } from '../../../signaling/protocol/exchange/half.ts';
import type { TokenBatch } from '../../api/batch.ts';
import { longestBlock } from '../../model/layout.ts';
import { dropoutScale, dropoutThreshold } from '../dropout.ts';
import type { BlockGradient, Hidden, LayerRange, Pass, PassOptions } from '../engine.ts';
import { batchTargets, lossAndGradientOf } from '../loss.ts';
import { requireEmbeddings, requireHead, requireLayers } from '../part.ts';
import type { AtWork } from './at-work.ts';
import type { Constants } from './constants.ts';
import { type Gpu, type Slice, whole } from './device/gpu.ts';
import { DeviceHidden, type Place } from './device-hidden.ts';
import type { FrozenTensors } from './frozen.ts';
import { BYTES, words } from './kernels/kernel.ts';
import { gradientSplits } from './kernels/lora-gradient.ts';
import { needsInputCopy } from './memory.ts';
import type { SubmissionPace } from './pace.ts';
import { firstRowsOf, type PackedBatch, packBatch } from './packing.ts';
import type { Programs } from './programs.ts';
import type { LayerInput } from './steps/layer-backward.ts';
import type { BatchSizes, KernelStep, ModelPlan, TensorName } from './steps/steps.ts';
import type { BorrowedSet, PassMemory, PassRequest, SavedTensors, Storage } from './storage.ts';

/** What all passes of an engine share. */
export interface PassHost {
  readonly gpu: Gpu;
  readonly plan: ModelPlan;
  readonly programs: Programs;
  readonly frozen: FrozenTensors;
  readonly constants: Constants;
  readonly storage: Storage;
  readonly pace: SubmissionPace;
  readonly atWork: AtWork;
}

interface Kept {
  /** Null where the layer goes forward again. */
  readonly saved: SavedTensors | null;
  /** Among the pass's saved layers. */
  readonly index: number;
  readonly input: LayerInput;
  readonly inputCopy: Slice | null;
}

/** One micro-batch on the device. Work is recorded and runs when something is read, or when there is enough of it. */
export class WebGpuPass implements Pass {
  readonly #host: PassHost;
  readonly #tokens: TokenBatch;
  readonly #batch: PackedBatch;
  readonly #targets: Float32Array;
  readonly #sizes: BatchSizes;
  readonly #saveFrom: number;
  readonly #recompute: boolean;
  readonly #dropout: PassOptions['dropout'];
  readonly #asked: PassRequest;
  readonly #memory: PassMemory;
  readonly #splitRows: number;
  readonly #kept = new Map<number, Kept>();
  #live: DeviceHidden | null = null;
  #startedMs: number | null = null;
  #layersRecorded = 0;
  #ended = false;

  /** Of the layer that goes forward again at the moment. */
  #again: BorrowedSet | null = null;

  /** `batch` is checked, and `memory` is what was `asked` for it. */
  constructor(host: PassHost, batch: TokenBatch, options: PassOptions, asked: PassRequest, memory: PassMemory) {
    const { plan } = host;
    this.#host = host;
    this.#tokens = batch;
    this.#batch = packBatch(batch, plan.shape.padTokenId);
    this.#targets = batchTargets(plan.loss, batch, plan.labelCount);
    this.#saveFrom = options.saveFrom;
    this.#recompute = options.recompute ?? false;
    this.#dropout = options.dropout;
    this.#asked = asked;
    this.#memory = memory;
    const { rows, samples, longest } = this.#batch;
    const { splits, splitRows } = gradientSplits(rows, longestBlock(plan.layout, plan.part));
    this.#splitRows = splitRows;
    this.#sizes = { rows, samples, longest, splits };
  }

  /** What is on the device of this pass, other than what it keeps, is another's from here on. */
  leave(): void {
    this.#live = null;
  }

  async embed(): Promise<Hidden> {
    requireEmbeddings(this.#host.plan.part, this.#tokens);
    await this.#work();
    this.#run(this.#host.programs.embed, null);
    return this.#put('t.x', null);
  }

  async forward(range: LayerRange, hidden: Hidden): Promise<Hidden> {
    const { programs, pace, gpu, plan } = this.#host;
    requireLayers(range, plan.part, plan.shape);
    await this.#work();
    let below = await this.#take(hidden, 't.x');
    for (let layer = range.from; layer < range.to; layer++) {
      if (layer >= this.#saveFrom) this.#keep(layer, below);
      const keep = layer >= this.#saveFrom && !this.#recompute;
      const { forward } = programs.layers.get(layer)!;
      this.#run(keep ? forward.keep : forward.plain, layer);
      below = layer;
      this.#startedMs ??= performance.now();
      this.#layersRecorded++;
      if (pace.layer(this.#sizes.rows)) gpu.submit();
      if (gpu.isFull) await gpu.room();
    }
    return this.#put('t.x', below);
  }

  async loss(
    hidden: Hidden,
    want: { readonly dHidden: boolean; readonly headGradient: boolean },
  ): ReturnType<Pass['loss']> {
    const { gpu, plan, programs, storage } = this.#host;
    requireHead(plan.part, this.#tokens, want);
    await this.#work();
    const { tables, headStaging } = storage.transients;
    await this.#take(hidden, 't.x');
    this.#run(programs.loss, null);
    const logitsBytes = this.#batch.samples * plan.labelCount * 4;
    const headBytes = plan.layout.head.length * 4;
    gpu.copy(this.#find('t.logits', null), whole(tables.logits), logitsBytes);
    if (want.headGradient) {
      this.#run(programs.headBackward.withGradient, null);
      gpu.copy(this.#find('t.gradient', null), whole(headStaging), headBytes);
    } else if (want.dHidden) this.#run(programs.headBackward.alone, null);
    gpu.submit();
    const [logits, gradient] = await Promise.all([
      gpu.map(tables.logits, logitsBytes),
      want.headGradient ? gpu.map(headStaging, headBytes) : null,
    ]);
    if (this.#startedMs !== null)
      this.#host.pace.measured(this.#sizes.rows, this.#layersRecorded, (performance.now() - this.#startedMs) / 1000);
    const values = new Float32Array(logits);
    return {
      logits: values,
      lossSum: lossAndGradientOf(plan.loss, values, this.#targets, plan.labelCount).lossSum,
      dHidden: want.dHidden ? this.#put('t.g', null) : null,
      head: gradient === null ? null : { block: 'head', gradient: new Float32Array(gradient) },
    };
  }

  async *backward(
    range: LayerRange,
    dHidden: Hidden,
    wantInput: boolean,
  ): AsyncGenerator<BlockGradient, Hidden | null, void> {
    const { pace, plan, atWork, storage, gpu } = this.#host;
    requireLayers(range, plan.part, plan.shape);
    await this.#work();
    for (let layer = range.from; layer < range.to; layer++)
      if (!this.#kept.has(layer)) throw new Error(`Layer ${layer} was not saved by this pass.`);
    await this.#take(dHidden, 't.g');
    if (this.#recompute && range.from < range.to) this.#again = await storage.borrow(this.#asked.rows);
    atWork.pull(true);
    // Gradients are read back while deeper layers are at work; how many are under way is a matter of time.
    const underWay: { readonly layer: number; readonly gradient: Promise<ArrayBuffer | null> }[] = [];
    let next = range.to - 1;
    try {
      while (next >= range.from || underWay.length > 0) {
        while (next >= range.from && underWay.length <= pace.ahead(this.#sizes.rows)) {
          if (gpu.isFull) await gpu.room();
          underWay.push({ layer: next, gradient: this.#layerBackward(next, next > range.from || wantInput) });
          next--;
        }
        const { layer, gradient } = underWay.shift()!;
        const values = await gradient;
        if (values !== null) yield { block: layer, gradient: new Float32Array(values) };
      }
    } finally {
      // Where the caller stops early, buffers must not be left mapped.
      await Promise.allSettled(underWay.map(({ gradient }) => gradient));
      if (atWork.pass === this) atWork.pull(false);
      this.#returnSet();
    }
    return wantInput ? this.#put('t.g', null) : null;
  }

  dispose(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { gpu, storage, atWork } = this.#host;
    if (atWork.pass === this) gpu.discard();
    atWork.end(this);
    this.#live = null;
    this.#kept.clear();
    this.#returnSet();
    storage.giveBack(this.#memory);
  }

  #returnSet(): void {
    if (this.#again !== null) this.#host.storage.keep(this.#again);
    this.#again = null;
  }

  /** Before each operation: what it needs on the device is this pass's. */
  async #work(): Promise<void> {
    const { gpu, plan, storage, atWork } = this.#host;
    if (this.#ended) throw new Error('This pass has ended.');
    if (atWork.pass === this) return;
    atWork.set(this);
    await storage.reserve(this.#asked);
    const { rows, samples, rowTable, sampleTable } = this.#batch;
    const { probability, seed, round } = this.#dropout;
    const { tables } = storage.transients;
    const scale = { f32: dropoutScale(probability) };
    const threshold = dropoutThreshold(probability);
    gpu.write(tables.current, words(rows, samples, this.#splitRows, threshold, scale, seed, round));
    gpu.write(tables.rows, rowTable);
    gpu.write(tables.samples, sampleTable);
    if (plan.part.head) gpu.write(tables.targets, this.#targets);
  }

  /** Records and submits one layer backward; its gradient, null where it has no adapters, arrives when the device has done it. */
  #layerBackward(layer: number, goesOn: boolean): Promise<ArrayBuffer | null> {
    const { gpu, plan, programs, storage } = this.#host;
    const { input, inputCopy, index } = this.#kept.get(layer)!;
    if (this.#recompute) {
      gpu.copy(inputCopy!, this.#find('t.x', null), this.#hiddenBytes());
      this.#run(programs.layers.get(layer)!.forward.keep, layer);
    }
    const program = programs.layers.get(layer)!.backward[input];
    const bytes = plan.layout.layers[layer]!.length * 4;
    this.#run(goesOn ? program.goesOn : program.ends, layer);
    if (bytes === 0) {
      const done = gpu.idle().then(() => null);
      done.catch(() => undefined);
      return done;
    }
    const staging = storage.staging(index);
    gpu.copy(this.#find('t.gradient', null), whole(staging), bytes);
    gpu.submit();
    const gradient = gpu.map(staging, bytes);
    // A failure is the business of whoever awaits it.
    gradient.catch(() => undefined);
    return gradient;
  }

  /** Makes room for what a layer saves; `below` is the layer that its input comes from, if it comes from one directly. */
  #keep(layer: number, below: number | null): void {
    const { gpu, plan, storage } = this.#host;
    if (this.#kept.has(layer)) throw new Error(`Layer ${layer} went forward twice in one pass.`);
    const direct = !this.#recompute && below !== null && below === layer - 1 && this.#kept.has(below);
    let inputCopy: Slice | null = null;
    if (this.#recompute || (!direct && needsInputCopy(plan) && plan.layout.layers[layer]!.length > 0)) {
      const copies = [...this.#kept.values()].filter((kept) => kept.inputCopy !== null).length;
      inputCopy = storage.inputCopy(this.#memory, copies);
      gpu.copy(this.#find('t.x', null), inputCopy, this.#hiddenBytes());
    }
    const index = this.#kept.size;
    this.#kept.set(layer, {
      saved: this.#recompute ? null : this.#memory.sets[index]!,
      index,
      input: direct ? 'below' : 'copied',
      inputCopy,
    });
  }

  /** Bytes of hidden states. */
  #hiddenBytes(): number {
    const { shape, precision } = this.#host.plan;
    return this.#sizes.rows * shape.hiddenSize * BYTES[precision];
  }

  #run(steps: readonly KernelStep[], layer: number | null): void {
    const { gpu, constants } = this.#host;
    for (const step of steps) {
      const slices: Record<string, Slice> = {};
      for (const [name, tensor] of Object.entries(step.tensors)) slices[name] = this.#find(tensor, layer);
      if (step.sizes !== null) slices.sizes = constants.sizes(step);
      gpu.launch(step.kernel, slices, step.grid(this.#sizes));
    }
  }

  /** The slice of a tensor, for steps of `layer`. */
  #find(tensor: TensorName, layer: number | null): Slice {
    const { storage, frozen, constants } = this.#host;
    const { slices, tables } = storage.transients;
    const name = tensor.slice(2);
    const found = (() => {
      switch (tensor[0]) {
        case 't':
          return slices.get(tensor);
        case 'e':
          return frozen.embeddings.get(name);
        case 'w':
          return layer === null ? undefined : frozen.layers.get(layer)?.get(name);
        case 'p':
          return name === 'head' ? constants.block('head') : layer === null ? undefined : constants.block(layer);
        case 's': {
          const kept = layer === null ? undefined : this.#kept.get(layer);
          return name === 'input' ? (kept?.inputCopy ?? undefined) : (kept?.saved ?? this.#again?.set)?.get(tensor);
        }
        case 'b':
          return layer === null
            ? undefined
            : (frozen.layers.get(layer - 1)?.get(name) ?? this.#kept.get(layer - 1)?.saved?.get(`s.${name}`));
        default:
          if (tensor === 'i.layer') return constants.layer(layer ?? 0);
          if (tensor === 'i.targets') return tables.targets;
          return tensor === 'i.current' ? tables.current : tensor === 'i.rows' ? tables.rows : tables.samples;
      }
    })();
    if (found === undefined) throw new Error(`There is no ${tensor} for layer ${layer}.`);
    return found;
  }

  #put(place: Place, layer: number | null): DeviceHidden {
    this.#live = new DeviceHidden(this.#batch, place, layer, (...of) => this.#read(...of));
    return this.#live;
  }

  /** Puts `hidden` where the steps expect it; the layer whose output it is, where that is known. */
  async #take(hidden: Hidden, place: Place): Promise<number | null> {
    const { gpu, plan } = this.#host;
    if (hidden instanceof DeviceHidden && hidden === this.#live && hidden.place === place) {
      this.#live = null;
      return hidden.layer;
    }
    const width = plan.shape.hiddenSize;
    const packed = await hidden.readPacked();
    if (hidden.samples !== this.#batch.samples || packed.length !== this.#batch.rows * width)
      throw new RangeError(
        `Hidden states of ${hidden.samples} samples with ${packed.length} values do not fit ${this.#batch.samples} samples with ${this.#batch.rows} tokens, ${width} wide.`,
      );
    gpu.write(this.#find(place, null), place === 't.x' && plan.precision === 'f16' ? toHalf(packed) : packed);
    this.#live = null;
    return null;
  }

  /** Packed rows, or each sample's first. */
  async #read(hidden: DeviceHidden, firstOnly: boolean): Promise<Float32Array> {
    if (hidden !== this.#live) throw new Error('These hidden states have been used up.');
    const { gpu, plan } = this.#host;
    const width = plan.shape.hiddenSize;
    const half = hidden.place === 't.x' && plan.precision === 'f16';
    const rowBytes = width * (half ? 2 : 4);
    const place = this.#find(hidden.place, null);
    const content = firstOnly
      ? await gpu.readBackRows(place, rowBytes, firstRowsOf(this.#batch))
      : await gpu.readBack(place, this.#sizes.rows * rowBytes);
    return half ? fromHalf(new Uint16Array(content)) : new Float32Array(content);
  }
}
