/**
 * Counts the bytes of GPU buffers from outside, the same way for everybody: what `createBuffer` was asked for and `destroy` not yet
 * called on, for each device. Buffers that are dropped without `destroy` count on: their memory comes back when the collector does.
 */
interface Count {
  live: number;
  peak: number;
}

const counts = new Map<string, Count>();
const owners = new WeakMap<GPUDevice, string>();
const sizes = new WeakMap<GPUBuffer, { readonly owner: string; readonly bytes: number }>();
let opening = '';

/** Devices that are requested during `work` belong to `owner`. */
export async function ownedBy<T>(owner: string, work: () => Promise<T>): Promise<T> {
  opening = owner;
  try {
    return await work();
  } finally {
    opening = '';
  }
}

export function peakGpuBytes(owner: string): number {
  return counts.get(owner)?.peak ?? 0;
}

/** Begins a new peak for an owner whose device lives on. */
export function forgetPeak(owner: string): void {
  const count = counts.get(owner);
  if (count !== undefined) count.peak = count.live;
}

/** Wraps the methods of WebGPU's own classes; before the first device is requested. */
export function countGpuBytes(): void {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const owner = opening;
    const device = await requestDevice.apply(this, args);
    owners.set(device, owner);
    return device;
  };
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    const owner = owners.get(this) ?? '';
    const count = counts.get(owner) ?? { live: 0, peak: 0 };
    count.live += descriptor.size;
    count.peak = Math.max(count.peak, count.live);
    counts.set(owner, count);
    sizes.set(buffer, { owner, bytes: descriptor.size });
    return buffer;
  };
  const { destroy } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    const size = sizes.get(this);
    if (size !== undefined) {
      counts.get(size.owner)!.live -= size.bytes;
      sizes.delete(this);
    }
    return destroy.call(this);
  };
}
