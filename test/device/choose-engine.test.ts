import { describe, expect, it } from 'vitest';
import { selfTestModel } from '../../worker/check/self-test.ts';
import type { EngineKind } from '../../worker/device/engines.ts';
import { chooseEngine } from '../../worker/device/loading.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';

const request = await selfTestModel();
const passes = async () => undefined;

/** A kind of this name; what it makes is the plain engine under that name. */
function kind(id: EngineKind['id'], change: Partial<EngineKind> = {}): EngineKind {
  return {
    ...{ id, precision: 'single', slower: async () => '', absent: async () => null },
    create: async (asked) => ({ ...(await createReferenceEngine(asked)), backend: id }),
    ...change,
  };
}

const IN_SOFTWARE = { slower: async () => 'its WebGPU is a slower driver in software' };
const wasm = kind('onnx-wasm');

async function chosen(kinds: readonly EngineKind[], choice?: 'auto' | 'webgpu' | 'wasm') {
  const { engine, why } = await chooseEngine(request, passes, choice, kinds);
  return `${engine.backend}${why}`;
}

describe('the engine of a device', () => {
  it('is WebGPU on a graphics processor', async () => {
    expect(await chosen([kind('webgpu'), wasm])).toBe('webgpu');
  });

  it('is WASM where WebGPU is a driver in software, and says why', async () => {
    expect(await chosen([kind('webgpu', IN_SOFTWARE), wasm])).toBe(
      'onnx-wasm (its WebGPU is a slower driver in software)',
    );
  });

  it('is WASM without a word where there is no WebGPU, and with one where it computes wrong numbers', async () => {
    expect(await chosen([kind('webgpu', { absent: async () => 'None.' }), wasm])).toBe('onnx-wasm');
    const fails = async ({ id }: EngineKind) => {
      if (id === 'webgpu') throw new Error('wrong numbers');
    };
    const { engine, why } = await chooseEngine(request, fails, 'auto', [kind('webgpu'), wasm]);
    expect([engine.backend, why]).toEqual(['onnx-wasm', ' (webgpu failed here)']);
  });

  it('is none that only serves to compare', async () => {
    await expect(chosen([kind('reference', { slower: async () => null })])).rejects.toThrow('No engine runs');
  });

  it('is what the person chose, whatever is quicker', async () => {
    const kinds = [kind('webgpu', IN_SOFTWARE), wasm];
    expect(await chosen(kinds, 'webgpu')).toBe('webgpu');
    expect(await chosen([kind('webgpu'), wasm], 'wasm')).toBe('onnx-wasm');
  });

  it('is refused in a sentence where the choice does not run here', async () => {
    const kinds = [kind('webgpu', { absent: async () => 'WebGPU finds no adapter here.' }), wasm];
    await expect(chosen(kinds, 'webgpu')).rejects.toThrow(
      'WebGPU was chosen for this device. WebGPU finds no adapter here. Choose another engine, or none.',
    );
    const wrong = async () => {
      throw new Error('wrong numbers');
    };
    await expect(chooseEngine(request, wrong, 'wasm', kinds)).rejects.toThrow('wrong numbers');
  });
});
