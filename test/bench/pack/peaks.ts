/** What this device does at best in plain kernels: what the engine's kernels are measured by. */
export interface Peaks {
  /** Multiply-adds of f32, and of f16 where there is that type, two operations each. */
  readonly f32FlopsPerSecond: number;
  readonly f16FlopsPerSecond: number | null;
  /** Read and written by a copy. */
  readonly copyBytesPerSecond: number;
}

const THREADS = 256;
const STEPS = 256;
/** Sums that do not wait for each other, of four values each. */
const SUMS = 8;
const FLOPS_PER_THREAD = STEPS * SUMS * 4 * 2;
const ENOUGH_MS = 30;
const MOST_GROUPS = 65_535;
const TURNS = 3;

const multiplyAdds = (type: 'f32' | 'f16'): string => /* wgsl */ `
${type === 'f16' ? 'enable f16;' : ''}
@group(0) @binding(0) var<storage, read_write> out: array<vec4<${type}>>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4<${type}>(${type}(f32(id.x % 7u) * 0.01));
  var b = a + ${type}(0.5);
  ${Array.from({ length: SUMS }, (_, i) => `var s${i} = a * ${type}(${i + 1});`).join('\n  ')}
  for (var i = 0u; i < ${STEPS}u; i++) {
    ${Array.from({ length: SUMS }, (_, i) => `s${i} = fma(s${i}, b, a);`).join('\n    ')}
  }
  let sum = ${Array.from({ length: SUMS }, (_, i) => `s${i}`).join(' + ')};
  if (sum.x == ${type}(-1.0)) { out[id.x % 16u] = sum; }
}`;

const COPY = /* wgsl */ `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4f>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var at = id.x; at < arrayLength(&source); at += groups.x * ${THREADS}u) { target_[at] = source[at]; }
}`;
const COPIED_BYTES = 64 * 2 ** 20;
const COPIES = 8;
const COPY_GROUPS = 4096;

export async function measurePeaks(): Promise<Peaks> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('WebGPU finds no adapter here.');
  const hasF16 = adapter.features.has('shader-f16');
  const device = await adapter.requestDevice({ requiredFeatures: hasF16 ? ['shader-f16'] : [] });
  try {
    return {
      f32FlopsPerSecond: await flops(device, 'f32'),
      f16FlopsPerSecond: hasF16 ? await flops(device, 'f16') : null,
      copyBytesPerSecond: await copyRate(device),
    };
  } finally {
    device.destroy();
  }
}

async function flops(device: GPUDevice, type: 'f32' | 'f16'): Promise<number> {
  const out = device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE });
  const run = await prepared(device, multiplyAdds(type), [out]);
  let [groups, best] = [64, 0];
  for (;;) {
    const ms = await run(groups, 1);
    best = Math.max(best, (groups * THREADS * FLOPS_PER_THREAD) / (ms / 1000));
    if (ms > ENOUGH_MS || groups === MOST_GROUPS) break;
    groups = Math.min(MOST_GROUPS, 2 * groups);
  }
  for (let turn = 0; turn < TURNS; turn++)
    best = Math.max(best, (groups * THREADS * FLOPS_PER_THREAD) / ((await run(groups, 1)) / 1000));
  return best;
}

async function copyRate(device: GPUDevice): Promise<number> {
  const size = Math.min(COPIED_BYTES, device.limits.maxStorageBufferBindingSize);
  const [source, target] = [0, 1].map(() => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE }));
  const run = await prepared(device, COPY, [source!, target!]);
  let best = 0;
  for (let turn = 0; turn < TURNS + 1; turn++)
    best = Math.max(best, (2 * size * COPIES) / ((await run(COPY_GROUPS, COPIES)) / 1000));
  return best;
}

/** Runs a kernel so many times in one submission; milliseconds until it is done. */
async function prepared(device: GPUDevice, code: string, buffers: readonly GPUBuffer[]) {
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  return async (groups: number, times: number): Promise<number> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    const commands = encoder.finish();
    const before = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - before;
  };
}
