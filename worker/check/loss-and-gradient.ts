import type { TokenBatch } from '../api/batch.ts';
import type { Engine, PassOptions } from '../engine/engine.ts';

const NO_DROPOUT: PassOptions['dropout'] = { probability: 0, seed: 0, round: 1 };

/** One pass over `batch`: forward through all layers, backward through the `depth` last ones. Sums over the samples. */
export async function lossAndGradient(
  engine: Engine,
  batch: TokenBatch,
  depth = engine.shape.layers,
  dropout = NO_DROPOUT,
  recompute = false,
): Promise<{ readonly logits: Float32Array; readonly lossSum: number; readonly gradient: Float32Array }> {
  const { layers } = engine.shape;
  const gradient = new Float32Array(engine.layout.length);
  const pass = await engine.begin(batch, { saveFrom: layers - depth, dropout, recompute });
  try {
    const hidden = await pass.forward({ from: 0, to: layers }, await pass.embed());
    const { logits, lossSum, dHidden, head } = await pass.loss(hidden, { dHidden: depth > 0, headGradient: true });
    if (head !== null) gradient.set(head.gradient, engine.layout.head.offset);
    if (dHidden !== null)
      for await (const part of pass.backward({ from: layers - depth, to: layers }, dHidden, false))
        if (part.block !== 'head') gradient.set(part.gradient, engine.layout.layers[part.block]!.offset);
    return { logits, lossSum, gradient };
  } finally {
    pass.dispose();
  }
}
