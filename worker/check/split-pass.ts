import type { TokenBatch } from '../api/batch.ts';
import type { Engine, Hidden, Pass, PassOptions } from '../engine/engine.ts';
import { isHeadAlone } from '../engine/part.ts';
import type { lossAndGradient } from './loss-and-gradient.ts';

/** What carries hidden states from one stage to the next: they come out as they went in, or rounded. */
export type Carrier = (values: Float32Array, direction: 'up' | 'down') => Float32Array;

const asTheyAre: Carrier = (values) => values;

/**
 * `lossAndGradient` by engines that hold the parts of one model, in order from the embeddings up: hidden states go up from engine to
 * engine as packed rows, their gradient goes down to the lowest trained layer. With rows as they are, engines that keep f32 give the
 * whole one's answer to the bit.
 */
export async function splitLossAndGradient(
  stages: readonly Engine[],
  batch: TokenBatch,
  depth: number,
  dropout: PassOptions['dropout'],
  { carry = asTheyAre, recompute = false }: { readonly carry?: Carrier; readonly recompute?: boolean } = {},
): ReturnType<typeof lossAndGradient> {
  const top = stages.at(-1);
  if (top === undefined || !top.part.head) throw new RangeError('The last of the stages must hold the head.');
  const lowest = top.shape.layers - depth;
  const gradient = new Float32Array(top.layout.length);
  const passes: Pass[] = [];
  try {
    let rows: Float32Array = new Float32Array(0);
    let found: Awaited<ReturnType<Pass['loss']>> | undefined;
    for (const [index, engine] of stages.entries()) {
      const pass = await engine.begin(batch, { saveFrom: lowest, dropout, recompute });
      passes.push(pass);
      const input = engine.part.embeddings
        ? await pass.embed()
        : await wrap(engine, batch, rows, isHeadAlone(engine.part));
      const output = await pass.forward(engine.part.layers, input);
      const next = stages[index + 1];
      if (next === undefined) found = await pass.loss(output, { dHidden: depth > 0, headGradient: true });
      else rows = carry(await read(output, isHeadAlone(next.part)), 'up');
    }
    if (found === undefined) throw new Error('No stage has computed the loss.');
    if (found.head !== null) gradient.set(found.head.gradient, top.layout.head.offset);
    let dHidden = found.dHidden;
    for (let index = stages.length - 1; index >= 0; index--) {
      const { part, layout } = stages[index]!;
      const above = stages[index + 1];
      // Nothing below is trained: no gradient goes further down.
      if (part.layers.to <= lowest && !part.head) break;
      dHidden = above === undefined ? dHidden : await wrap(stages[index]!, batch, rows, isHeadAlone(above.part));
      if (dHidden === null) break;
      const goesOn = index > 0 && part.layers.from > lowest;
      const range = { from: Math.min(part.layers.to, Math.max(part.layers.from, lowest)), to: part.layers.to };
      const backward = passes[index]!.backward(range, dHidden, goesOn);
      let step = await backward.next();
      for (; !step.done; step = await backward.next())
        if (step.value.block !== 'head') gradient.set(step.value.gradient, layout.layers[step.value.block]!.offset);
      if (step.value === null) break;
      rows = carry(await read(step.value, isHeadAlone(part)), 'down');
    }
    return { logits: found.logits, lossSum: found.lossSum, gradient };
  } finally {
    for (const pass of passes) pass.dispose();
  }
}

const wrap = (engine: Engine, batch: TokenBatch, rows: Float32Array, firstOnly: boolean): Promise<Hidden> =>
  firstOnly ? engine.wrapFirst(batch, rows) : engine.wrapHidden(batch, rows);

async function read(hidden: Hidden, firstOnly: boolean): Promise<Float32Array> {
  const rows = firstOnly ? await hidden.readFirst() : await hidden.readPacked();
  hidden.dispose();
  return rows;
}
