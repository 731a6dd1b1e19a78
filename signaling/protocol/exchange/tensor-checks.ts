import type { FrameTensor } from './frames.ts';

/** What is wrong with a tensor that a peer sent is said in one sentence, as an Error; `what` begins it. */

export function floats(tensor: FrameTensor | undefined, length: number, what: string): Float32Array {
  if (!(tensor instanceof Float32Array)) throw new Error(`${what} is missing.`);
  if (tensor.length !== length) throw new Error(`${what} has ${tensor.length} values where ${length} belong.`);
  return tensor;
}

export function finiteFloats(tensor: FrameTensor | undefined, length: number, what: string): Float32Array {
  const values = floats(tensor, length, what);
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw new Error(`${what} holds a value that is not a finite number.`);
  return values;
}

/** Whole numbers from `min` to `max`. */
export function boundedInts(
  tensor: FrameTensor | undefined,
  length: number,
  { min = 0, max }: { readonly min?: number; readonly max: number },
  what: string,
): Int32Array {
  if (!(tensor instanceof Int32Array)) throw new Error(`${what} are missing.`);
  if (tensor.length !== length) throw new Error(`${what} have ${tensor.length} values where ${length} belong.`);
  for (let i = 0; i < tensor.length; i++)
    if (tensor[i] < min || tensor[i] > max) throw new Error(`${what} hold a value out of range.`);
  return tensor;
}
