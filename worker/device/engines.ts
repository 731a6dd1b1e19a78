import type { Engine, EnginePrecision, EngineRequest } from '../engine/engine.ts';

/** An engine on one of the things that it can run on. */
export interface EngineKind {
  readonly id: 'webgpu' | 'webgpu-f16' | 'onnx-webgpu' | 'onnx-wasm' | 'reference';
  readonly precision: EnginePrecision;
  /**
   * Why devices had better not train with it here, in a few words; empty where they should. Null for engines that are there to be compared
   * with.
   */
  slower(): Promise<string | null>;
  /** Null where this machine can run it, else why not. */
  absent(): Promise<string | null>;
  /** Code that is large is loaded here, not before. */
  create(request: EngineRequest): Promise<Engine>;
}

/** All engines, those that devices should train with first. */
export const ENGINES: readonly EngineKind[] = [
  {
    id: 'webgpu',
    precision: 'single',
    // Where WebGPU itself runs on the processor, WASM does the same work several times faster.
    slower: async () => ((await webGpuIsSoftware()) ? 'its WebGPU is a slower driver in software' : ''),
    absent: webGpuAbsent,
    create: async (request) => (await import('../engine/webgpu/engine.ts')).createWebGpuEngine(request),
  },
  {
    // A session's choice of f16 weights asks `webgpu` for the same.
    id: 'webgpu-f16',
    precision: 'half',
    slower: async () => null,
    absent: webGpuAbsent,
    create: async (request) =>
      (await import('../engine/webgpu/engine.ts')).createWebGpuEngine({ ...request, weightStorage: 'f16' }),
  },
  {
    id: 'onnx-wasm',
    precision: 'single',
    slower: async () => '',
    absent: async () => (typeof WebAssembly === 'object' ? null : 'WebAssembly is not available here.'),
    create: async (request) => (await import('../engine/onnx/engine.ts')).createOnnxEngine(request, 'wasm'),
  },
  {
    id: 'onnx-webgpu',
    precision: 'single',
    slower: async () => null,
    absent: async () =>
      'WorkerGlobalScope' in globalThis ? webGpuAbsent() : "onnxruntime-web's WebGPU provider runs in browsers only.",
    create: async (request) => (await import('../engine/onnx/engine.ts')).createOnnxEngine(request, 'webgpu'),
  },
  {
    id: 'reference',
    precision: 'single',
    slower: async () => null,
    absent: async () => null,
    create: async (request) => (await import('../engine/reference/engine.ts')).createReferenceEngine(request),
  },
];

/** Null where there is a WebGPU adapter, else why not. */
export async function webGpuAbsent(): Promise<string | null> {
  // Node has no navigator before version 21.
  if (!('navigator' in globalThis) || !('gpu' in navigator)) return 'WebGPU is not available here.';
  return (await navigator.gpu.requestAdapter()) === null ? 'WebGPU finds no adapter here.' : null;
}

async function webGpuIsSoftware(): Promise<boolean> {
  if ((await webGpuAbsent()) !== null) return false;
  return (await navigator.gpu.requestAdapter())?.info.isFallbackAdapter ?? false;
}
