import type { HiddenStates } from '../split.ts';
import type { FrameTensor } from './frames.ts';
import { fromHalf, toHalf } from './half.ts';
import type { StageHeader } from './stage-messages.ts';

/** Hidden states, or their gradient, as they travel. */
export interface Packed {
  readonly tensor: Float32Array | Uint16Array;
  readonly scale: number;
}

/** Values are brought below this power of two before they are rounded to 16 bits, whose largest is 65,504. */
const HALF_EXPONENT = 15;

/**
 * In f32 the values themselves. In f16 they are first multiplied by a power of two that brings the largest of them near the top of the
 * format: gradients are small, and would be rounded to nothing; undoing it is exact. Null where a value is not finite.
 */
export function packed(values: Float32Array, codec: HiddenStates): Packed | null {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (!(size < Number.POSITIVE_INFINITY)) return null;
    if (size > largest) largest = size;
  }
  if (codec === 'f32') return { tensor: values, scale: 1 };
  const scale = largest === 0 ? 1 : 2 ** (HALF_EXPONENT - 1 - Math.floor(Math.log2(largest)));
  return { tensor: toHalf(values.map((value) => value * scale)), scale };
}

/** Whether this can be what `packed` made; its values are for the receiver to check. */
export const isPacked = (tensor: FrameTensor | undefined): tensor is Float32Array | Uint16Array =>
  tensor instanceof Float32Array || tensor instanceof Uint16Array;

/** What `packed` was given, rounded as the codec does. `tensor` was checked when it came. */
export function unpacked(tensor: Float32Array | Uint16Array, { scale }: Pick<StageHeader<'hidden'>, 'scale'>) {
  if (tensor instanceof Float32Array) return tensor;
  const values = fromHalf(tensor);
  for (let i = 0; i < values.length; i++) values[i] /= scale;
  return values;
}
