import { SafetensorsError, type TensorEntry } from './safetensors.ts';

/** Whether `decodeFloats` reads tensors of this type. */
export const isFloat = (dtype: string): boolean =>
  dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';

/**
 * Values of a tensor as f32, from its bytes in the file. An F32 tensor at an aligned address comes back as a view of `bytes`; others are
 * written to the beginning of `into`, where it is given.
 * @throws SafetensorsError when the dtype is none of F64 (rounded), F32, F16 and BF16.
 */
export function decodeFloats(entry: TensorEntry, bytes: Uint8Array, into?: Float32Array): Float32Array {
  if (bytes.length !== entry.end - entry.start)
    throw new SafetensorsError(
      `Tensor "${entry.name}": ${bytes.length} bytes given, ${entry.end - entry.start} needed.`,
    );
  switch (entry.dtype) {
    case 'F32': {
      const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
      return new Float32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
    }
    case 'F16':
      return decodeHalves(bytes, float16Bits, into);
    case 'BF16':
      return decodeHalves(bytes, (half) => half << 16, into);
    case 'F64':
      return Float32Array.from({ length: bytes.length / 8 }, (_, i) => view(bytes).getFloat64(8 * i, true));
    default:
      throw new SafetensorsError(
        `Tensor "${entry.name}" is stored as ${entry.dtype}; only F64, F32, F16 and BF16 are read.`,
      );
  }
}

/** @throws SafetensorsError when the dtype is not I32. */
export function decodeIntegers(entry: TensorEntry, bytes: Uint8Array): Int32Array {
  if (entry.dtype !== 'I32')
    throw new SafetensorsError(`Tensor "${entry.name}" is stored as ${entry.dtype}; I32 is expected.`);
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** `toBits` gives the f32 bit pattern of a 16-bit one. */
function decodeHalves(bytes: Uint8Array, toBits: (half: number) => number, into?: Float32Array): Float32Array {
  const count = bytes.length / 2;
  const values = into?.subarray(0, count) ?? new Float32Array(count);
  const bits = new Int32Array(values.buffer, values.byteOffset, count);
  for (let i = 0; i < count; i++) bits[i] = toBits(bytes[2 * i]! | (bytes[2 * i + 1]! << 8));
  return values;
}

/** IEEE 754 binary16 to the bit pattern of the same value in binary32. */
function float16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // Subnormal: shift the leading one up to the implicit bit.
  const shift = Math.clz32(mantissa) - 21;
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
}
