import { longestBlock } from '../../model/layout.ts';
import { type CountedBuffer, type Gpu, type Slice, whole } from './device/gpu.ts';
import {
  headStagingBytes,
  inputCopyBytes,
  type PassShape,
  passTableBytes,
  planTransients,
  savedCounts,
  savedTensors,
} from './memory.ts';
import type { ModelPlan } from './steps/steps.ts';

/** A buffer of transients for passes of a shape or any smaller one. */
interface Transients {
  readonly shape: PassShape;
  readonly slices: ReadonlyMap<string, Slice>;
  readonly tables: {
    readonly current: Slice;
    readonly rows: Slice;
    readonly samples: Slice;
    readonly targets: Slice;
    readonly logits: CountedBuffer;
  };
  readonly headStaging: CountedBuffer;
  readonly buffers: readonly CountedBuffer[];
}

/** What one layer saves, by name. */
export type SavedTensors = ReadonlyMap<string, Slice>;

/**
 * The memory of passes, kept from one to the next. A pass that fits what the last ones needed allocates nothing; one that does not
 * replaces what is too small.
 */
export class Storage {
  readonly #gpu: Gpu;
  readonly #plan: ModelPlan;
  #transients: Transients | null = null;
  #saved: SavedTensors[] = [];
  #savedRows = 0;
  #inputCopies: Slice[] = [];
  #stagings: CountedBuffer[] = [];

  constructor(gpu: Gpu, plan: ModelPlan) {
    this.#gpu = gpu;
    this.#plan = plan;
  }

  /** @throws WebGpuError when the device has too little memory or allows no buffer of the size. What was kept is then gone. */
  async reserve(rows: number, samples: number, savedLayers: number, recompute: boolean): Promise<void> {
    const backward = savedLayers > 0;
    try {
      await this.#gpu.allocated(() => {
        this.#reserveTransients({ rows, samples, backward, recompute: backward && recompute });
        this.#reserveSaved(rows, savedLayers, recompute);
      });
    } catch (error) {
      this.release();
      throw error;
    }
  }

  get transients(): Transients {
    if (this.#transients === null) throw new Error('No memory was reserved for this pass.');
    return this.#transients;
  }

  saved(index: number): SavedTensors {
    return this.#saved[index]!;
  }

  /** Where the gradient of the index-th saved layer is read back. */
  staging(index: number): CountedBuffer {
    return this.#stagings[index]!;
  }

  /** A place for the index-th copy of a layer's input; the first is reserved, more are for passes in pieces. */
  inputCopy(index: number): Slice {
    this.#inputCopies[index] ??= this.#allocateInputCopy();
    return this.#inputCopies[index];
  }

  /** Writes to all of it: drivers may hand out memory that they have yet to find. */
  async touch(): Promise<void> {
    for (const buffer of [...(this.#transients?.buffers ?? []), ...this.#savedBuffers()]) this.#gpu.clear(buffer);
    await this.#gpu.idle();
  }

  /** Frees everything that passes use. */
  release(): void {
    this.#releaseTransients();
    this.#releaseSaved();
  }

  #reserveTransients(wanted: PassShape): void {
    const had = this.#transients?.shape;
    if (
      had !== undefined &&
      had.rows >= wanted.rows &&
      had.samples >= wanted.samples &&
      (had.backward || !wanted.backward) &&
      (had.recompute || !wanted.recompute)
    )
      return;
    this.#releaseTransients();
    const shape: PassShape = {
      rows: Math.max(had?.rows ?? 0, wanted.rows),
      samples: Math.max(had?.samples ?? 0, wanted.samples),
      backward: (had?.backward ?? false) || wanted.backward,
      recompute: (had?.recompute ?? false) || wanted.recompute,
    };
    const { slots, slotOf } = planTransients(this.#plan, shape);
    const bytes = passTableBytes(this.#plan, shape);
    const buffers: CountedBuffer[] = [];
    const make = (...args: Parameters<Gpu['allocate']>): CountedBuffer => {
      const buffer = this.#gpu.allocate(...args);
      buffers.push(buffer);
      return buffer;
    };
    const arena = slots.map((size, index) => whole(make(`transient ${index}`, size)));
    this.#transients = {
      shape,
      slices: new Map([...slotOf].map(([name, slot]) => [name, arena[slot]!])),
      tables: {
        current: whole(make('pass', bytes.current, 'uniform')),
        rows: whole(make('rows', bytes.rows)),
        samples: whole(make('samples', bytes.samples)),
        targets: whole(make('targets', bytes.targets)),
        logits: make('logits', bytes.logits, 'staging'),
      },
      headStaging: make('head gradient', headStagingBytes(this.#plan), 'staging'),
      buffers,
    };
  }

  #reserveSaved(rows: number, layers: number, recompute: boolean): void {
    if (layers === 0) return;
    if (rows > this.#savedRows) {
      this.#releaseSaved();
      this.#savedRows = rows;
    }
    const { sets, inputs } = savedCounts(this.#plan, layers, recompute);
    const sizes = Object.entries(savedTensors(this.#plan, this.#savedRows));
    while (this.#saved.length < sets)
      this.#saved.push(new Map(sizes.map(([name, bytes]) => [name, whole(this.#gpu.allocate(name, bytes))])));
    while (this.#stagings.length < layers)
      this.#stagings.push(
        this.#gpu.allocate('gradient', longestBlock(this.#plan.layout, this.#plan.part) * 4, 'staging'),
      );
    for (let index = 0; index < inputs; index++) this.inputCopy(index);
  }

  #allocateInputCopy(): Slice {
    return whole(this.#gpu.allocate('input copy', inputCopyBytes(this.#plan, this.#savedRows)));
  }

  #releaseTransients(): void {
    for (const buffer of this.#transients?.buffers ?? []) this.#gpu.release(buffer);
    this.#transients = null;
  }

  #savedBuffers(): readonly CountedBuffer[] {
    const sets = this.#saved.flatMap((set) => [...set.values()]);
    return [...[...sets, ...this.#inputCopies].map(({ buffer }) => buffer), ...this.#stagings];
  }

  #releaseSaved(): void {
    for (const buffer of this.#savedBuffers()) this.#gpu.release(buffer);
    this.#saved = [];
    this.#stagings = [];
    this.#inputCopies = [];
    this.#savedRows = 0;
  }
}
