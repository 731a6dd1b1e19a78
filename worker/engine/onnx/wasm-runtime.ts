import { encodeModel } from './model-proto.ts';
import { QUIET, type Runtime } from './runtime.ts';

/** onnxruntime-web's WebAssembly, in the build without WebGPU, which is half the size of the other. */
export async function wasmRuntime(): Promise<Runtime> {
  const ort = await import('onnxruntime-web/wasm');
  ort.env.wasm.numThreads = threadCount();
  const tensor = (values: Float32Array, dims: readonly number[]) => new ort.Tensor('float32', values, dims);
  return {
    provider: 'wasm',
    backend: `WASM, ${ort.env.wasm.numThreads} thread${ort.env.wasm.numThreads === 1 ? '' : 's'}`,
    dialect: { fusedMatMul: true },
    compile: (graph) => ort.InferenceSession.create(encodeModel(graph), { executionProviders: ['wasm'], ...QUIET }),
    lasting: (values, dims) => {
      if (values instanceof Float32Array) return tensor(values, dims);
      return values instanceof Int8Array
        ? new ort.Tensor('int8', values, dims)
        : new ort.Tensor('float16', values, dims);
    },
    passing: tensor,
    sizes: (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]),
  };
}

/** Threads need shared memory, which browsers give to cross-origin isolated pages alone; half the cores leave the device usable. */
function threadCount(): number {
  if (!('crossOriginIsolated' in globalThis) || !globalThis.crossOriginIsolated) return 1;
  return Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2));
}
