import type { InferenceSession } from 'onnxruntime-web/webgpu';
import { encodeModel, type GraphDescription } from './model-proto.ts';
import { QUIET, type Runtime } from './runtime.ts';

let first: Promise<InferenceSession> | undefined;

/** onnxruntime-web's native WebGPU provider: weights, hidden states and what is kept between graphs stay in GPU buffers. */
export async function webgpuRuntime(): Promise<Runtime> {
  const ort = await import('onnxruntime-web/webgpu');
  // What falls back to the CPU is small; threads would need workers of the larger WASM build.
  ort.env.wasm.numThreads = 1;
  const compile = (graph: GraphDescription, toCpu: readonly string[]) =>
    ort.InferenceSession.create(encodeModel(graph), {
      executionProviders: ['webgpu'],
      preferredOutputLocation: Object.fromEntries(
        graph.outputs.map(({ name }) => [name, toCpu.includes(name) ? 'cpu' : 'gpu-buffer']),
      ),
      ...QUIET,
    });
  // The provider opens its device with the first graph and closes it with the last, so one that does nothing stays.
  first ??= compile(FIRST_GRAPH, ['y']);
  await first;
  const device: GPUDevice = await ort.env.webgpu.device;

  return {
    provider: 'webgpu',
    backend: `onnxruntime on WebGPU, ${describe(device)}`,
    dialect: { fusedMatMul: false },
    compile,
    lasting: (values, dims) => {
      if (!(values instanceof Float32Array))
        throw new Error('onnxruntime on WebGPU keeps its weights in f32 here; choose f32 weights.');
      const buffer = device.createBuffer({
        size: Math.ceil(values.byteLength / 16) * 16,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
        mappedAtCreation: true,
      });
      new Float32Array(buffer.getMappedRange()).set(values);
      buffer.unmap();
      return ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims, dispose: () => buffer.destroy() });
    },
    passing: (values, dims) => new ort.Tensor('float32', values, dims),
    sizes: (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]),
  };
}

const FIRST_GRAPH: GraphDescription = {
  name: 'first',
  inputs: [{ name: 'x', type: 'float' }],
  outputs: [{ name: 'y', type: 'float' }],
  constants: [],
  nodes: [{ operator: 'Neg', domain: '', inputs: ['x'], outputs: ['y'], attributes: {} }],
};

function describe({ adapterInfo }: GPUDevice): string {
  const words = [adapterInfo.vendor, adapterInfo.architecture, adapterInfo.description].filter((word) => word !== '');
  return words.length === 0 ? 'unnamed adapter' : [...new Set(words)].join(', ');
}
