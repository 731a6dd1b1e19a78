/** No usable WebGPU device, or one that went away or ran out of memory. The message is a sentence for people. */
export class WebGpuError extends Error {
  override readonly name = 'WebGpuError';
  readonly kind: 'unavailable' | 'lost' | 'out-of-memory' | 'too-large' | 'invalid';

  constructor(kind: WebGpuError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface OpenedDevice {
  readonly device: GPUDevice;
  /** For people: the adapter's own description. */
  readonly description: string;
  readonly hasF16: boolean;
  /** Threads in the smallest subgroups that the device may form; 0 where it has none. */
  readonly smallestSubgroup: number;
  /** Whether it is the processor that does the work, by a driver in software. */
  readonly isSoftware: boolean;
}

/** Asked for where the adapter has them; the engine works without any. `timestamp-query` serves profiling only. */
const WANTED_FEATURES = ['shader-f16', 'subgroups', 'timestamp-query'] as const;

/** Limits that the engine uses up to what the adapter gives; all others stay at WebGPU's defaults. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

function describe(info: GPUAdapterInfo): string {
  const words = [info.vendor, info.architecture, info.device, info.description].filter((word) => word !== '');
  return words.length === 0 ? 'unnamed adapter' : [...new Set(words)].join(', ');
}

/**
 * Opens the best adapter of `gpu`: `navigator.gpu` in a browser, Dawn's in Node.
 * @throws WebGpuError of kind `unavailable`.
 */
export async function openDevice(gpu: GPU | undefined): Promise<OpenedDevice> {
  if (gpu === undefined) throw new WebGpuError('unavailable', 'This browser has no WebGPU.');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new WebGpuError('unavailable', 'WebGPU found no graphics adapter here.');
  const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((limit) => [limit, adapter.limits[limit]]));
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: 'tabloom', requiredFeatures, requiredLimits });
  } catch (cause) {
    throw new WebGpuError('unavailable', `The graphics adapter gave no device: ${String(cause)}`);
  }
  return {
    device,
    description: describe(adapter.info),
    hasF16: device.features.has('shader-f16'),
    smallestSubgroup: device.features.has('subgroups') ? adapter.info.subgroupMinSize : 0,
    isSoftware: adapter.info.isFallbackAdapter,
  };
}
