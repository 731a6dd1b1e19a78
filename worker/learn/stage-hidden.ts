import type { TokenBatch } from '../api/batch.ts';
import type { StageParameters } from '../api/stage-api.ts';
import type { Engine, Hidden } from '../engine/engine.ts';
import { hiddenFromValues } from '../engine/hidden.ts';

/** Of a batch whose lengths are at least 1. */
const rowsOf = ({ lengths }: TokenBatch): number => lengths.reduce((sum, length) => sum + length, 0);

/** (sum of lengths,C), or (B,C) of the first tokens. */
export async function readHidden(batch: TokenBatch, hidden: Hidden, firstOnly: boolean): Promise<Float32Array> {
  const values = await hidden.read();
  const width = values.length / (batch.lengths.length * batch.tokens);
  const packed = new Float32Array((firstOnly ? batch.lengths.length : rowsOf(batch)) * width);
  let at = 0;
  batch.lengths.forEach((length, sample) => {
    const from = sample * batch.tokens * width;
    const count = firstOnly ? width : length * width;
    packed.set(values.subarray(from, from + count), at);
    at += count;
  });
  return packed;
}

export async function wrapHidden(
  { shape }: Engine,
  batch: TokenBatch,
  packed: Float32Array,
  firstOnly: boolean,
): Promise<Hidden> {
  const width = shape.hiddenSize;
  const samples = batch.lengths.length;
  const rows = firstOnly ? samples : rowsOf(batch);
  if (packed.length !== rows * width)
    throw new RangeError(`${packed.length} values do not fit ${rows} tokens of ${width} values each.`);
  const values = new Float32Array(samples * batch.tokens * width);
  let at = 0;
  batch.lengths.forEach((length, sample) => {
    const count = firstOnly ? width : length * width;
    values.set(packed.subarray(at, at + count), sample * batch.tokens * width);
    at += count;
  });
  return hiddenFromValues(samples, batch.tokens, values);
}

/** Passes that may be open at once. */
export const openPasses = ({ name }: Engine): number => (name === 'webgpu' ? 1 : Number.POSITIVE_INFINITY);

const vectors = new WeakMap<Engine, Float32Array>();

/** Sets the trained values of some blocks; the others stay as they were set the same way. */
export async function setBlocks(engine: Engine, { layers, head, values }: StageParameters): Promise<void> {
  const { layout } = engine;
  const vector = vectors.get(engine) ?? new Float32Array(layout.length);
  vectors.set(engine, vector);
  let at = 0;
  for (const { offset, length } of [...(head ? [layout.head] : []), ...layers.map((layer) => layout.layers[layer]!)]) {
    vector.set(values.subarray(at, at + length), offset);
    at += length;
  }
  if (at !== values.length) throw new RangeError(`The stage trains ${at} values; ${values.length} were given.`);
  await engine.setParameters(vector.slice());
}
