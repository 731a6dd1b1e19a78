/**
 * Time of each kernel by the device's own clock, from outside: while a step is timed, every dispatch gets a pass of its own with a timestamp
 * at its beginning and its end. Passes of one dispatch cannot overlap, so the sum may be more than the step takes.
 */
export interface KernelTime {
  readonly label: string;
  readonly dispatches: number;
  readonly ms: number;
  /** Useful operations, where they are known. */
  readonly flops: number | null;
  /** Of all its bindings, each once a dispatch. */
  readonly boundBytes: number;
}

interface Bound {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

interface Dispatch {
  readonly label: string;
  readonly flops: number | null;
  readonly boundBytes: number;
}

/** WebGPU's limit is 4096 timestamps in a set. */
const MOST_DISPATCHES = 2048;

/** One step's clock on one device. */
interface Clock {
  readonly device: GPUDevice;
  readonly set: GPUQuerySet;
  readonly dispatches: Dispatch[];
}

const devices = new WeakMap<GPUCommandEncoder, GPUDevice>();
const bindings = new WeakMap<GPUBindGroup, readonly Bound[]>();
/** What uniform buffers hold, as it was written to them. */
const uniforms = new WeakMap<GPUBuffer, Uint8Array>();
let wanted = false;
let clock: Clock | null = null;
/** Operations of a dispatch that its label alone tells. */
let flopsOf: (label: string) => number | null = () => null;

/** Wraps WebGPU's classes; before the first device is requested. */
export function watchKernels(): void {
  const { createCommandEncoder, createBindGroup } = GPUDevice.prototype;
  GPUDevice.prototype.createCommandEncoder = function (descriptor) {
    const encoder = createCommandEncoder.call(this, descriptor ?? {});
    devices.set(encoder, this);
    return encoder;
  };
  GPUDevice.prototype.createBindGroup = function (descriptor) {
    const group = createBindGroup.call(this, descriptor);
    const bound: Bound[] = [];
    for (const { resource } of descriptor.entries) {
      if (resource instanceof GPUBuffer) bound.push({ buffer: resource, offset: 0, bytes: resource.size });
      else if ('buffer' in resource) {
        const { buffer, offset = 0, size = buffer.size - offset } = resource;
        bound.push({ buffer, offset, bytes: size });
      }
    }
    bindings.set(group, bound);
    return group;
  };
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, ...rest) {
    if ((buffer.usage & GPUBufferUsage.UNIFORM) !== 0) {
      const kept = uniforms.get(buffer) ?? new Uint8Array(buffer.size);
      uniforms.set(buffer, kept);
      const [from = 0, length = data.byteLength - from] = rest;
      const view = ArrayBuffer.isView(data)
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : new Uint8Array(data);
      // The engine whose kernels are read writes whole arrays.
      kept.set(view.subarray(from, from + length), offset);
    }
    Reflect.apply(writeBuffer, this, [buffer, offset, data, ...rest]);
  };
  const { beginComputePass } = GPUCommandEncoder.prototype;
  GPUCommandEncoder.prototype.beginComputePass = function (descriptor) {
    const device = devices.get(this);
    if (!wanted || device === undefined || !device.features.has('timestamp-query'))
      return beginComputePass.call(this, descriptor ?? {});
    clock ??= {
      device,
      set: device.createQuerySet({ type: 'timestamp', count: 2 * MOST_DISPATCHES }),
      dispatches: [],
    };
    const open = (more: GPUComputePassDescriptor): GPUComputePassEncoder => beginComputePass.call(this, more);
    const timed = new TimedPass(clock, open);
    // It has what our engine calls; of anything else the engine's tests would tell.
    return timed as Pick<GPUComputePassEncoder, keyof TimedPass> as GPUComputePassEncoder;
  };
}

class TimedPass {
  readonly #clock: Clock;
  readonly #open: (descriptor: GPUComputePassDescriptor) => GPUComputePassEncoder;
  #pipeline: GPUComputePipeline | null = null;
  #group: GPUBindGroup | null = null;

  constructor(at: Clock, open: (descriptor: GPUComputePassDescriptor) => GPUComputePassEncoder) {
    this.#clock = at;
    this.#open = open;
  }

  setPipeline(pipeline: GPUComputePipeline): undefined {
    this.#pipeline = pipeline;
  }

  setBindGroup(_index: number, group: GPUBindGroup | null | undefined): undefined {
    this.#group = group ?? null;
  }

  dispatchWorkgroups(x: number, y = 1, z = 1): undefined {
    const { set, dispatches } = this.#clock;
    if (this.#pipeline === null || this.#group === null) throw new Error('Nothing was set to dispatch.');
    const index = dispatches.length;
    const timed = index < MOST_DISPATCHES;
    const pass = this.#open(
      timed
        ? {
            timestampWrites: {
              ...{ querySet: set, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 },
            },
          }
        : {},
    );
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#group);
    pass.dispatchWorkgroups(x, y, z);
    pass.end();
    if (!timed) return;
    const bound = bindings.get(this.#group) ?? [];
    const { label } = this.#pipeline;
    dispatches.push({
      label,
      flops: label.startsWith('product') ? productFlops(bound) : flopsOf(label),
      boundBytes: bound.reduce((sum, { bytes }) => sum + bytes, 0),
    });
  }

  end(): undefined {}
}

/** 2 N K O: the first bindings of a product are the pass's sizes, whose first word is N, and its own, K / 4 and O / 4 (matmul.ts). */
function productFlops([pass, sizes]: readonly Bound[]): number | null {
  const [n] = wordsOf(pass);
  const [inner4, outer4] = wordsOf(sizes);
  return n === undefined || inner4 === undefined || outer4 === undefined ? null : 2 * n * 4 * inner4 * 4 * outer4;
}

function wordsOf(bound: Bound | undefined): Uint32Array {
  const held = bound === undefined ? undefined : uniforms.get(bound.buffer);
  if (bound === undefined || held === undefined) return new Uint32Array(0);
  return new Uint32Array(held.slice(bound.offset, bound.offset + bound.bytes).buffer);
}

/** Times by kernel of one step, the longest first; null where the device has no timestamps. */
export async function timedKernels(
  step: () => Promise<unknown>,
  flops: (label: string) => number | null,
): Promise<readonly KernelTime[] | null> {
  [wanted, clock, flopsOf] = [true, null, flops];
  try {
    await step();
  } finally {
    wanted = false;
  }
  const taken = takeClock();
  return taken === null ? null : readClock(taken);
}

function takeClock(): Clock | null {
  const taken = clock;
  clock = null;
  return taken;
}

async function readClock({ device, set, dispatches }: Clock): Promise<readonly KernelTime[]> {
  const bytes = 16 * dispatches.length;
  const resolved = device.createBuffer({ size: bytes, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.resolveQuerySet(set, 0, 2 * dispatches.length, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
  for (const buffer of [resolved, staging]) buffer.destroy();
  set.destroy();
  const kernels = new Map<string, KernelTime>();
  dispatches.forEach(({ label, flops, boundBytes }, i) => {
    const ms = Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e6;
    const before = kernels.get(label) ?? { label, dispatches: 0, ms: 0, flops: 0, boundBytes: 0 };
    kernels.set(label, {
      label,
      dispatches: before.dispatches + 1,
      ms: before.ms + ms,
      flops: flops === null || before.flops === null ? null : before.flops + flops,
      boundBytes: before.boundBytes + boundBytes,
    });
  });
  return [...kernels.values()].sort((a, b) => b.ms - a.ms);
}
