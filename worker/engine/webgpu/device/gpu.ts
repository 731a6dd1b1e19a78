import { bytesText } from '../../../../signaling/protocol/words/quantities.ts';
import type { Access, Grid, Kernel } from '../kernels/kernel.ts';
import { Flow, type FlowLimits, ownFlowLimits } from './flow.ts';
import { WebGpuError } from './open-device.ts';

/** A part of a device buffer; offsets are multiples of SLICE_ALIGNMENT. */
export interface Slice {
  readonly buffer: CountedBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** WebGPU's default alignment of a binding's offset, which no device exceeds. */
export const SLICE_ALIGNMENT = 256;

export const alignSlice = (bytes: number): number => Math.ceil(bytes / SLICE_ALIGNMENT) * SLICE_ALIGNMENT;
/** Buffers are multiples of four bytes, and bindings are never empty. */
export const bufferBytes = (bytes: number): number => Math.max(16, Math.ceil(bytes / 4) * 4);

export interface CountedBuffer {
  readonly id: number;
  readonly raw: GPUBuffer;
  readonly bytes: number;
}

/** `staging` can be mapped for reading, and copied to; the others can be bound, written and copied. */
export type BufferKind = 'storage' | 'uniform' | 'staging';

const LAYOUT_TYPES: Readonly<Record<Access, GPUBufferBindingType>> = {
  uniform: 'uniform',
  read: 'read-only-storage',
  write: 'storage',
};

/**
 * A device with everything that must be counted or cached: buffers, pipelines, bind groups, and the commands recorded so far.
 * Commands run at `submit`; reads submit by themselves.
 */
export class Gpu {
  readonly device: GPUDevice;
  #allocatedBytes = 0;
  #nextId = 1;
  #failure: WebGpuError | null = null;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  readonly #live = new Set<CountedBuffer>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, { id: number; pipeline: GPUComputePipeline; layout: GPUBindGroupLayout }>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #flow: Flow;

  constructor(device: GPUDevice, limits: FlowLimits | null = ownFlowLimits()) {
    this.device = device;
    this.#flow = new Flow(limits, () => this.device.queue.onSubmittedWorkDone());
    void device.lost.then(({ message }) => {
      this.#failure ??= lostError(message);
    });
    device.addEventListener('uncapturederror', ({ error }) => {
      this.#failure ??= new WebGpuError(
        error instanceof GPUOutOfMemoryError ? 'out-of-memory' : 'invalid',
        `The graphics device refused a command: ${error.message}`,
      );
    });
  }

  /** Why nothing that this device computes can be trusted any more; null as long as it can. */
  get failure(): WebGpuError | null {
    return this.#failure;
  }

  /** Bytes of all buffers that exist now. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /** @throws WebGpuError once the device is lost or has refused a command; nothing that it computes can be trusted then. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Allocates; whether the device really had the memory is known when `allocated` settles. */
  allocate(label: string, bytes: number, kind: BufferKind = 'storage'): CountedBuffer {
    const size = bufferBytes(bytes);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const limit = kind === 'storage' ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize;
    if (size > limit)
      throw new WebGpuError(
        'too-large',
        `${label} needs a buffer of ${bytesText(size)}, and this graphics device allows ${bytesText(limit)}; use a smaller micro-batch.`,
      );
    const usage =
      kind === 'staging'
        ? GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
        : (kind === 'uniform' ? GPUBufferUsage.UNIFORM : GPUBufferUsage.STORAGE) |
          GPUBufferUsage.COPY_DST |
          GPUBufferUsage.COPY_SRC;
    const raw = this.#asked(() => this.device.createBuffer({ label, size, usage }));
    const buffer = { id: this.#nextId++, raw, bytes: size };
    this.#live.add(buffer);
    this.#allocatedBytes += size;
    return buffer;
  }

  /** Runs `allocate` calls and reports want of memory as an error of this call instead of a lost device. */
  async allocated<T>(make: () => T): Promise<T> {
    this.check();
    this.#asked(() => this.device.pushErrorScope('out-of-memory'));
    const before = new Set(this.#live);
    let made: T | undefined;
    let thrown: unknown;
    try {
      made = make();
    } catch (error) {
      thrown = error;
    }
    const outOfMemory = await this.#asked(() => this.device.popErrorScope()).catch((cause: unknown) => {
      throw this.#fail(cause);
    });
    if (thrown === undefined && outOfMemory === null) return made as T;
    for (const buffer of this.#live) if (!before.has(buffer)) this.release(buffer);
    throw thrown ?? new WebGpuError('out-of-memory', 'The graphics device has too little memory for this work.');
  }

  release(buffer: CountedBuffer): void {
    if (!this.#live.delete(buffer)) return;
    this.#allocatedBytes -= buffer.bytes;
    this.#bindGroups.clear();
    try {
      buffer.raw.destroy();
    } catch {
      // Of a lost device everything is gone.
    }
  }

  /** Writes after everything recorded so far. */
  write(slice: Slice, data: Float32Array | Uint32Array | Uint16Array | Int8Array): void {
    this.submit();
    this.#asked(() =>
      this.device.queue.writeBuffer(slice.buffer.raw, slice.offset, data.buffer, data.byteOffset, data.byteLength),
    );
  }

  /** Compiles kernels that are not compiled yet, all at once; `progress` counts them. */
  async prepare(kernels: readonly Kernel[], progress?: (done: number, total: number) => void): Promise<void> {
    this.check();
    const missing = [...new Map(kernels.map((kernel) => [kernel.code, kernel])).values()].filter(
      ({ code }) => !this.#pipelines.has(code),
    );
    let done = 0;
    progress?.(0, missing.length);
    await Promise.all(
      missing.map(async (kernel) => {
        const layout = this.#asked(() => this.#layoutOf(kernel));
        const pipeline = await this.device.createComputePipelineAsync({
          label: kernel.label,
          layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
          compute: { module: this.device.createShaderModule({ label: kernel.label, code: kernel.code }) },
        });
        this.#pipelines.set(kernel.code, { id: this.#pipelines.size, pipeline, layout });
        progress?.(++done, missing.length);
      }),
    );
  }

  /** Records one dispatch of a prepared kernel. */
  launch<Name extends string>(kernel: Kernel<Name>, slices: Readonly<Partial<Record<Name, Slice>>>, grid: Grid): void {
    const compiled = this.#pipelines.get(kernel.code);
    if (compiled === undefined) throw new Error(`Kernel ${kernel.label} was not prepared.`);
    const bound = (Object.keys(kernel.bindings) as Name[]).map((name) => {
      const slice = slices[name];
      if (slice === undefined) throw new Error(`Kernel ${kernel.label} was given nothing for ${name}.`);
      return slice;
    });
    const key = `${compiled.id}${bound.map(({ buffer, offset }) => `/${buffer.id}+${offset}`).join('')}`;
    let bindGroup = this.#bindGroups.get(key);
    if (bindGroup === undefined) {
      const entries = bound.map(({ buffer, offset, bytes }, binding) => ({
        binding,
        resource: { buffer: buffer.raw, offset, size: bytes },
      }));
      const { layout } = compiled;
      bindGroup = this.#asked(() => this.device.createBindGroup({ label: kernel.label, layout, entries }));
      this.#bindGroups.set(key, bindGroup);
    }
    try {
      const pass = this.#computePass();
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...grid);
    } catch (cause) {
      throw this.#fail(cause);
    }
    if (this.#flow.dispatched()) this.submit();
  }

  /** Whether the device has as much to do as it takes at a time; `room` settles when it does not. */
  get isFull(): boolean {
    return this.#flow.isFull;
  }

  /** Submits what is recorded, and waits until the device takes more. */
  async room(): Promise<void> {
    this.submit();
    await this.#flow.room();
  }

  /** Records a copy of the first `bytes` of `from` to the start of `to`. */
  copy(from: Slice, to: Slice, bytes: number): void {
    this.#asked(() =>
      this.#endComputePass().copyBufferToBuffer(from.buffer.raw, from.offset, to.buffer.raw, to.offset, bytes),
    );
  }

  /** Records zeros for all of a buffer. */
  clear(buffer: CountedBuffer): void {
    this.#asked(() => this.#endComputePass().clearBuffer(buffer.raw));
  }

  submit(): void {
    if (this.#encoder === null) return;
    this.#asked(() => {
      const encoder = this.#endComputePass();
      this.#encoder = null;
      this.device.queue.submit([encoder.finish()]);
    });
    this.#flow.submitted();
  }

  /** Drops what was recorded and not submitted. */
  discard(): void {
    try {
      if (this.#encoder !== null) this.#endComputePass();
    } catch {
      // Nothing of it is wanted.
    }
    [this.#encoder, this.#pass] = [null, null];
  }

  /** Copies out the first `bytes` of a staging buffer once the work submitted so far is done. */
  async map(staging: CountedBuffer, bytes: number): Promise<ArrayBuffer> {
    let content: ArrayBuffer;
    try {
      await staging.raw.mapAsync(GPUMapMode.READ, 0, bytes);
      content = staging.raw.getMappedRange(0, bytes).slice(0);
      staging.raw.unmap();
    } catch (cause) {
      throw this.#fail(cause);
    }
    this.check();
    return content;
  }

  /** Submits what is recorded and reads back the first `bytes` through a staging buffer of the moment. */
  async readBack(from: Slice, bytes: number): Promise<ArrayBuffer> {
    const staging = this.allocate('read back', bytes, 'staging');
    try {
      this.copy(from, whole(staging), bytes);
      this.submit();
      return await this.map(staging, bytes);
    } finally {
      this.release(staging);
    }
  }

  /** The same for some rows of `rowBytes`, a multiple of four, one behind the other. */
  async readBackRows(from: Slice, rowBytes: number, rows: readonly number[]): Promise<ArrayBuffer> {
    const bytes = rows.length * rowBytes;
    const staging = this.allocate('read back', bytes, 'staging');
    try {
      const { buffer, offset } = from;
      this.#asked(() => {
        const encoder = this.#endComputePass();
        for (const [index, row] of rows.entries())
          encoder.copyBufferToBuffer(buffer.raw, offset + row * rowBytes, staging.raw, index * rowBytes, rowBytes);
      });
      this.submit();
      return await this.map(staging, bytes);
    } finally {
      this.release(staging);
    }
  }

  /** Waits until everything submitted is done. */
  async idle(): Promise<void> {
    this.submit();
    try {
      await this.device.queue.onSubmittedWorkDone();
    } catch (cause) {
      throw this.#fail(cause);
    }
    this.check();
  }

  dispose(): void {
    this.#failure ??= new WebGpuError('lost', 'The WebGPU engine has been closed.');
    this.discard();
    for (const buffer of [...this.#live]) this.release(buffer);
    try {
      this.device.destroy();
    } catch {
      // It is lost already.
    }
  }

  /** A device that is lost may throw at once, not only say so later (Safari 26.5); nothing else throws at what we ask of it. */
  #asked<T>(ask: () => T): T {
    try {
      return ask();
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  #fail(cause: unknown): WebGpuError {
    this.#failure ??= lostError(String(cause));
    return this.#failure;
  }

  #layoutOf(kernel: Kernel): GPUBindGroupLayout {
    const accesses = Object.values(kernel.bindings).map(({ access }) => access);
    const key = accesses.join();
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      layout = this.device.createBindGroupLayout({
        entries: accesses.map((access, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: LAYOUT_TYPES[access] },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  #computePass(): GPUComputePassEncoder {
    this.#encoder ??= this.device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    return this.#pass;
  }

  #endComputePass(): GPUCommandEncoder {
    this.#encoder ??= this.device.createCommandEncoder();
    this.#pass?.end();
    this.#pass = null;
    return this.#encoder;
  }
}

export const whole = (buffer: CountedBuffer): Slice => ({ buffer, offset: 0, bytes: buffer.bytes });

const lostError = (why: string): WebGpuError =>
  new WebGpuError('lost', `The graphics device was lost, most likely for want of memory: ${why}`);
