import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { Dialect } from './graph-builder.ts';
import { encodeModel, type GraphDescription } from './model-proto.ts';

export type OnnxProvider = 'wasm' | 'webgpu';

/** onnxruntime-web on one of its execution providers. */
export interface Runtime {
  readonly provider: OnnxProvider;
  /** For people: "WASM, 4 threads". */
  readonly backend: string;
  readonly dialect: Dialect;
  /** Compiles a graph. Outputs named in `toCpu` are read back; others stay where the provider keeps its tensors. */
  compile(graph: GraphDescription, toCpu: readonly string[]): Promise<InferenceSession>;
  /** A tensor that is fed to many runs, put where the provider reads it without another copy. */
  lasting(values: Float32Array, dims: readonly number[]): Tensor;
  /** A tensor that is fed once or a few times. */
  passing(values: Float32Array, dims: readonly number[]): Tensor;
  /** Sizes for a Reshape. */
  sizes(values: readonly number[]): Tensor;
}

/** The library is megabytes: it is loaded when the first engine is made. The WASM-only build is half the size of the other. */
export async function loadRuntime(provider: OnnxProvider): Promise<Runtime> {
  return provider === 'wasm' ? wasmRuntime() : (await import('./webgpu-runtime.ts')).webgpuRuntime();
}

async function wasmRuntime(): Promise<Runtime> {
  const ort = await import('onnxruntime-web/wasm');
  ort.env.wasm.numThreads = threadCount();
  const tensor = (values: Float32Array, dims: readonly number[]) => new ort.Tensor('float32', values, dims);
  return {
    provider: 'wasm',
    backend: `WASM, ${ort.env.wasm.numThreads} thread${ort.env.wasm.numThreads === 1 ? '' : 's'}`,
    dialect: { fusedMatMul: true },
    compile: (graph) => ort.InferenceSession.create(encodeModel(graph), { executionProviders: ['wasm'], ...QUIET }),
    lasting: tensor,
    passing: tensor,
    sizes: (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]),
  };
}

/** Errors only: the library's warnings are about optimisations that do not apply. */
export const QUIET = { logSeverityLevel: 3 } as const satisfies InferenceSession.SessionOptions;

/** Threads need shared memory, which browsers give to cross-origin isolated pages alone; half the cores leave the device usable. */
function threadCount(): number {
  if (!('crossOriginIsolated' in globalThis) || !globalThis.crossOriginIsolated) return 1;
  return Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2));
}
