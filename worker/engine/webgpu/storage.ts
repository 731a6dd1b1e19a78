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

/** A set of them, and the rows that it has room for. */
export interface BorrowedSet {
  readonly set: SavedTensors;
  readonly rows: number;
}

/** What one pass asks for. */
export interface PassRequest {
  /** Of the padded batch, B*T. */
  readonly rows: number;
  readonly samples: number;
  readonly savedLayers: number;
  readonly recompute: boolean;
}

/** What a pass keeps from its forward to its backward pass, its own until it is over. */
export interface PassMemory {
  /** Rows that all of it has room for. */
  readonly rows: number;
  /** Of each saved layer; none where layers go forward again. */
  readonly sets: SavedTensors[];
  /** Copies of layers' inputs. */
  readonly inputs: Slice[];
}

/**
 * The memory of passes, kept from one to the next. A pass that fits what the last ones needed allocates nothing; one that does not
 * replaces what is too small. Passes that are open side by side have what they keep each for itself, and share all that is of no use
 * once an operation is over.
 */
export class Storage {
  readonly #gpu: Gpu;
  readonly #plan: ModelPlan;
  readonly #taken = new Set<PassMemory>();
  #transients: Transients | null = null;
  /** Nobody's at the moment, with room for `#savedRows` rows. */
  #free: SavedTensors[] = [];
  #freeInputs: Slice[] = [];
  #savedRows = 0;
  #stagings: CountedBuffer[] = [];

  constructor(gpu: Gpu, plan: ModelPlan) {
    this.#gpu = gpu;
    this.#plan = plan;
  }

  /** Passes that have memory of their own. */
  get open(): number {
    return this.#taken.size;
  }

  /**
   * What a pass needs until it is given back.
   * @throws WebGpuError when the device has too little memory or allows no buffer of the size. What nobody has taken is then gone.
   */
  async take(request: PassRequest): Promise<PassMemory> {
    let memory: PassMemory | null = null;
    try {
      return await this.#gpu.allocated(() => {
        this.#reserveShared(request);
        memory = this.#takeSaved(request);
        return memory;
      });
    } catch (error) {
      if (memory !== null) this.giveBack(memory);
      this.release();
      throw error;
    }
  }

  /** What operations of a pass need while they run: there again where another pass has had it replaced. Throws as `take` does. */
  async reserve(request: PassRequest): Promise<void> {
    if (this.#shares(request)) return;
    await this.#gpu.allocated(() => this.#reserveShared(request));
  }

  giveBack(memory: PassMemory): void {
    if (!this.#taken.delete(memory)) return;
    for (const set of memory.sets) this.keep({ set, rows: memory.rows });
    if (memory.rows === this.#savedRows) this.#freeInputs.push(...memory.inputs);
    else for (const { buffer } of memory.inputs) this.#gpu.release(buffer);
  }

  /** A set of saved tensors for layers that go forward again, until it is kept. Throws as `take` does. */
  borrow(rows: number): Promise<BorrowedSet> {
    return this.#gpu.allocated(() => {
      this.#makeRoom(rows);
      return { set: this.#free.pop() ?? this.#allocateSet(), rows: this.#savedRows };
    });
  }

  /** Takes a set back. */
  keep({ set, rows }: BorrowedSet): void {
    if (rows === this.#savedRows) this.#free.push(set);
    else for (const { buffer } of set.values()) this.#gpu.release(buffer);
  }

  get transients(): Transients {
    if (this.#transients === null) throw new Error('No memory was reserved for this pass.');
    return this.#transients;
  }

  /** Where the gradient of the index-th saved layer is read back. */
  staging(index: number): CountedBuffer {
    return this.#stagings[index]!;
  }

  /** A place for the index-th copy of a layer's input; the first is there, more are for passes in pieces. */
  inputCopy(memory: PassMemory, index: number): Slice {
    memory.inputs[index] ??= this.#freeInputs.pop() ?? this.#allocateInputCopy();
    return memory.inputs[index];
  }

  /** Writes to all of it: drivers may hand out memory that they have yet to find. */
  async touch(): Promise<void> {
    for (const buffer of [...(this.#transients?.buffers ?? []), ...this.#savedBuffers()]) this.#gpu.clear(buffer);
    await this.#gpu.idle();
  }

  /** Frees everything that no open pass keeps. */
  release(): void {
    this.#releaseTransients();
    this.#releaseFree();
    for (const buffer of this.#stagings) this.#gpu.release(buffer);
    this.#stagings = [];
  }

  /** Whether all that operations need is there. */
  #shares({ rows, samples, savedLayers, recompute }: PassRequest): boolean {
    const backward = savedLayers > 0;
    const shape = { rows, samples, backward, recompute: backward && recompute };
    return fitsInto(shape, this.#transients?.shape) && this.#stagings.length >= savedLayers;
  }

  #reserveShared({ rows, samples, savedLayers, recompute }: PassRequest): void {
    const backward = savedLayers > 0;
    this.#reserveTransients({ rows, samples, backward, recompute: backward && recompute });
    while (this.#stagings.length < savedLayers)
      this.#stagings.push(
        this.#gpu.allocate('gradient', longestBlock(this.#plan.layout, this.#plan.part) * 4, 'staging'),
      );
  }

  #reserveTransients(wanted: PassShape): void {
    const had = this.#transients?.shape;
    if (fitsInto(wanted, had)) return;
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

  #takeSaved({ rows, savedLayers, recompute }: PassRequest): PassMemory {
    if (savedLayers > 0) this.#makeRoom(rows);
    const memory: PassMemory = { rows: this.#savedRows, sets: [], inputs: [] };
    this.#taken.add(memory);
    const { sets, inputs } = savedCounts(this.#plan, { savedLayers, recompute });
    // The one set of layers that go forward again belongs to whichever pass goes backward.
    if (recompute) {
      if (this.#free.length < sets) this.#free.push(this.#allocateSet());
    } else while (memory.sets.length < sets) memory.sets.push(this.#free.pop() ?? this.#allocateSet());
    for (let index = 0; index < inputs; index++) this.inputCopy(memory, index);
    return memory;
  }

  /** What is free is of one size: of the most rows that were asked for. */
  #makeRoom(rows: number): void {
    if (rows <= this.#savedRows) return;
    this.#releaseFree();
    this.#savedRows = rows;
  }

  #allocateSet(): SavedTensors {
    const sizes = Object.entries(savedTensors(this.#plan, this.#savedRows));
    return new Map(sizes.map(([name, bytes]) => [name, whole(this.#gpu.allocate(name, bytes))]));
  }

  #allocateInputCopy(): Slice {
    return whole(this.#gpu.allocate('input copy', inputCopyBytes(this.#plan, this.#savedRows)));
  }

  #releaseTransients(): void {
    for (const buffer of this.#transients?.buffers ?? []) this.#gpu.release(buffer);
    this.#transients = null;
  }

  #savedBuffers(): readonly CountedBuffer[] {
    const taken = [...this.#taken];
    const sets = [...this.#free, ...taken.flatMap((memory) => memory.sets)].flatMap((set) => [...set.values()]);
    const inputs = [...this.#freeInputs, ...taken.flatMap((memory) => memory.inputs)];
    return [...[...sets, ...inputs].map(({ buffer }) => buffer), ...this.#stagings];
  }

  #releaseFree(): void {
    for (const { buffer } of [...this.#free.flatMap((set) => [...set.values()]), ...this.#freeInputs])
      this.#gpu.release(buffer);
    this.#free = [];
    this.#freeInputs = [];
    this.#savedRows = 0;
  }
}

const fitsInto = (wanted: PassShape, had: PassShape | undefined): boolean =>
  had !== undefined &&
  had.rows >= wanted.rows &&
  had.samples >= wanted.samples &&
  (had.backward || !wanted.backward) &&
  (had.recompute || !wanted.recompute);
