/**
 * Counts what a step asks of the GPU from outside, the same way for everybody: by wrapping WebGPU's own classes. Contenders take their
 * steps one at a time, so one count serves all.
 */
export interface GpuWork {
  readonly dispatches: number;
  readonly workgroups: number;
  readonly submissions: number;
  /** Bytes of all bindings of all dispatches: the most that they may have touched, each binding once. */
  readonly boundBytes: number;
  /** Buffers mapped for reading. */
  readonly readsBack: number;
}

const NONE: GpuWork = { dispatches: 0, workgroups: 0, submissions: 0, boundBytes: 0, readsBack: 0 };

let counted = { ...NONE };
const groupBytes = new WeakMap<GPUBindGroup, number>();
/** Bytes of the bind group that a pass has in each place. */
const places = new WeakMap<GPUComputePassEncoder, Map<number, number>>();

/** What was asked since the last call. */
export function takeGpuWork(): GpuWork {
  const taken = counted;
  counted = { ...NONE };
  return taken;
}

/** Wraps the methods; before the first device is requested. */
export function countGpuWork(): void {
  const { createBindGroup } = GPUDevice.prototype;
  GPUDevice.prototype.createBindGroup = function (descriptor) {
    const group = createBindGroup.call(this, descriptor);
    let bytes = 0;
    for (const { resource } of descriptor.entries) bytes += boundBytes(resource);
    groupBytes.set(group, bytes);
    return group;
  };
  const { setBindGroup, dispatchWorkgroups, dispatchWorkgroupsIndirect } = GPUComputePassEncoder.prototype;
  GPUComputePassEncoder.prototype.setBindGroup = function (
    this: GPUComputePassEncoder,
    index: number,
    group: GPUBindGroup | null,
    ...rest: unknown[]
  ) {
    const bound = places.get(this) ?? new Map<number, number>();
    places.set(this, bound);
    bound.set(index, group == null ? 0 : (groupBytes.get(group) ?? 0));
    Reflect.apply(setBindGroup, this, [index, group, ...rest]);
  };
  const dispatched = (pass: GPUComputePassEncoder, workgroups: number): void => {
    counted.dispatches += 1;
    counted.workgroups += workgroups;
    for (const bytes of places.get(pass)?.values() ?? []) counted.boundBytes += bytes;
  };
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (x, y = 1, z = 1) {
    dispatched(this, x * y * z);
    dispatchWorkgroups.call(this, x, y, z);
  };
  // How many workgroups that will be, the device alone knows.
  GPUComputePassEncoder.prototype.dispatchWorkgroupsIndirect = function (buffer, offset) {
    dispatched(this, 0);
    dispatchWorkgroupsIndirect.call(this, buffer, offset);
  };
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (buffers) {
    counted.submissions += 1;
    submit.call(this, buffers);
  };
  const { mapAsync } = GPUBuffer.prototype;
  GPUBuffer.prototype.mapAsync = function (mode, ...rest) {
    if ((mode & GPUMapMode.READ) !== 0) counted.readsBack += 1;
    return mapAsync.call(this, mode, ...rest);
  };
}

function boundBytes(resource: GPUBindingResource): number {
  if (resource instanceof GPUBuffer) return resource.size;
  if (!('buffer' in resource)) return 0;
  return resource.size ?? resource.buffer.size - (resource.offset ?? 0);
}
