import { afterAll, expect, it, vi } from 'vitest';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { layerBytes } from '../../worker/model/description.ts';
import { oneLayerModel, randomWeights } from '../../worker/model/random-part.ts';

/** Bytes of the library's memory, which only grows; no other WebAssembly does here. */
let heapBytes = 0;
const { grow } = WebAssembly.Memory.prototype;
const spy = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(function (
  this: WebAssembly.Memory,
  pages,
) {
  const before = grow.call(this, pages);
  heapBytes = Math.max(heapBytes, this.buffer.byteLength);
  return before;
});
afterAll(() => spy.mockRestore());

it.each(['int8', 'f16'] as const)(
  'one matrix at a time is f32 while a layer of roberta-large runs, stored in %s',
  async (weightStorage) => {
    const large = { layers: 24, hiddenSize: 1024, heads: 16, ffnSize: 4096, vocabSize: 50265, maxPositions: 514 };
    const shape = { ...large, layerNormEps: 1e-5, padTokenId: 1 };
    const lora = { rank: 8, alpha: 16, targets: ['query' as const, 'value' as const] };
    const model = { ...oneLayerModel(shape, lora), weights: randomWeights(1), labelCount: 2, weightStorage };
    const engine = await createOnnxEngine({ ...model, withDropout: false }, 'wasm');
    const [tokens, largest] = [8, 4 * large.hiddenSize * large.ffnSize];
    const batch = {
      tokens,
      ids: new Int32Array(tokens).fill(2),
      lengths: Int32Array.of(tokens),
      labels: Float32Array.of(1),
      positions: Int32Array.of(0),
    };
    await lossAndGradient(engine, batch);
    // The layer as it is stored, and the largest matrix in f32, twice over: the heap grows by a fifth at a time, and from 17 MB on.
    expect(heapBytes).toBeGreaterThan(layerBytes(shape, 'int8') + largest);
    expect(heapBytes).toBeLessThan(layerBytes(shape, weightStorage) + 2 * largest + 2 ** 24);
    await engine.dispose();
  },
);
