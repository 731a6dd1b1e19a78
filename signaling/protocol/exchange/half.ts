/**
 * IEEE 754 binary16 of each f32, rounded to nearest even; beyond 65,504 infinite, as a cast on the device gives it. (JavaScript's own
 * Float16Array is not everywhere yet.)
 */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfBits(bits[i]!);
  return out;
}

/** The binary16 nearest to the f32 of these bits. */
export function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  // 65,520 is half-way to the next power of two and rounds up.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Subnormal: multiples of 2^-24.
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const half = 1 << (shift - 1);
  const below = mantissa & ((1 << shift) - 1);
  const floor = mantissa >>> shift;
  return sign | (floor + (below > half || (below === half && (floor & 1) === 1) ? 1 : 0));
}

/** The f32 value of each binary16. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halfValue(halves[i]!);
  return out;
}

/** The value of a binary16. */
export function halfValue(half: number): number {
  table ??= Float32Array.from({ length: 65_536 }, (_, bits) => slowHalfValue(bits));
  return table[half]!;
}

/** All values there are: looking one up is several times faster than computing it. */
let table: Float32Array | undefined;

function slowHalfValue(half: number): number {
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
