import { createOnnxEngine } from '../../../worker/engine/onnx/engine.ts';
import { createWebGpuEngine } from '../../../worker/engine/webgpu/engine.ts';
import type { Contender } from './contender.ts';
import { jax } from './jax.ts';
import { own } from './own.ts';
import { tfjs } from './tfjs.ts';
import { torch } from './torch.ts';

/** The field's other libraries, as modules that are loaded when they are needed. */
export interface Peers {
  /** TensorFlow.js with that backend registered. */
  tensorflow(backend: 'webgpu' | 'wasm'): Promise<unknown>;
  jax(): Promise<unknown>;
}

export function contenders(peers: Peers): readonly Contender[] {
  return [
    own('webgpu', (request) => createWebGpuEngine(request)),
    own('webgpu-f16', (request) => createWebGpuEngine({ ...request, weightStorage: 'f16' })),
    own('webgpu-int8', (request) => createWebGpuEngine({ ...request, weightStorage: 'int8' })),
    tfjs('webgpu', () => peers.tensorflow('webgpu')),
    jax('webgpu', () => peers.jax()),
    own('onnx-webgpu', (request) => createOnnxEngine(request, 'webgpu')),
    own('onnx-wasm', (request) => createOnnxEngine(request, 'wasm')),
    tfjs('wasm', () => peers.tensorflow('wasm')),
    jax('wasm', () => peers.jax()),
    torch('cpu'),
    torch('cuda'),
    torch('cuda-tf32'),
  ];
}
