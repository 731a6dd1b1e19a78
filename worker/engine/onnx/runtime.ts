import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { OnnxDialect } from './graph-builder.ts';
import type { GraphDescription } from './model-proto.ts';

export type OnnxProvider = 'wasm' | 'webgpu';

/** onnxruntime-web on one of its execution providers. */
export interface Runtime {
  readonly provider: OnnxProvider;
  /** For people: "WASM, 4 threads". */
  readonly backend: string;
  readonly dialect: OnnxDialect;
  /** Compiles a graph. Outputs named in `toCpu` are read back; others stay where the provider keeps its tensors. */
  compile(graph: GraphDescription, toCpu: readonly string[]): Promise<InferenceSession>;
  /** A tensor that is fed to many runs, put where the provider reads it without another copy; halves are 16-bit words. */
  lasting(values: Float32Array | Uint16Array | Int8Array, dims: readonly number[]): Tensor;
  /** A tensor that is fed once or a few times. */
  passing(values: Float32Array, dims: readonly number[]): Tensor;
  /** Sizes for a Reshape. */
  sizes(values: readonly number[]): Tensor;
}

/** Errors only: the library's warnings are about optimisations that do not apply. */
export const QUIET = { logSeverityLevel: 3 } as const satisfies InferenceSession.SessionOptions;
