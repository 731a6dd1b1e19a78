import type { Block } from '../round.ts';
import type { Uploads } from '../settings.ts';
import type { FrameTensor } from './frames.ts';
import { halfBits, halfValue } from './half.ts';
import { pcg4d } from './pcg4d.ts';

/**
 * A gradient as it travels. Whoever computes it again and knows the key has it again to the bit: nothing is kept between rounds.
 *
 *   f32   the values
 *   f16   halves of value / 2^e (u16), nearest even, and e (u8): of the whole gradient one power of two, which brings its largest value to the
 *         top of the format. Relative error at most 2^-11 of values down to 2^-29 of the largest
 *   int8  of each 32 values one power of two 2^e (u8), and value / 2^e as a signed whole number of at most 127 (u8), rounded up or down by
 *         chance, so that the mean over keys is the value: the layout of MXINT8 (Open Compute Project, Microscaling Formats 1.0, 2023)
 *
 * Exponents are stored as e + 127, and 255 stands for values that are not finite. What was decoded is encoded again without a change, so
 * rounding twice is rounding once.
 */
export const INT8_GROUP = 32;

/** What a rounding by chance depends on, and all that it depends on. */
export interface RoundingKey {
  readonly seed: number;
  readonly round: number;
  readonly block: Block | 'merged';
  /** The position, in the round, of the first of the samples that were summed. */
  readonly position: number;
}

const EXPONENT_BIAS = 127;
const NOT_FINITE = 255;
const HALF_TOP = 14;
/** The exponent's bits of a half that is infinite or no number. */
const HALF_INFINITE = 0x7c00;
const INT8_TOP = 6;
const INT8_MOST = 127;
/** Beyond all of dropout's, which has its layers and sites in the same word. */
const ROUNDING_SITES = 2 ** 31;
const HEAD_SITE = 2 ** 16;
const MERGED_SITE = HEAD_SITE + 1;

/** Bytes of a gradient of so many values, without the message around it. */
export function uploadBytes(values: number, uploads: Uploads): number {
  if (uploads === 'f32') return 4 * values;
  return uploads === 'f16' ? 2 * values + 1 : values + Math.ceil(values / INT8_GROUP);
}

export function encodeUpload(gradient: Float32Array, uploads: Uploads, key: RoundingKey): FrameTensor[] {
  if (uploads === 'f32') return [gradient];
  return uploads === 'f16' ? toHalves(gradient) : toCodes(gradient, key);
}

/** What `encodeUpload` was given, rounded. The tensors are those of `checkUpload`. */
export function decodeUpload(tensors: readonly FrameTensor[]): Float32Array {
  const [values, exponents] = tensors;
  if (values instanceof Float32Array) return values;
  if (!(exponents instanceof Uint8Array)) throw new TypeError('A gradient came without its exponents.');
  const decoded = new Float32Array(values?.length ?? 0);
  if (values instanceof Uint16Array) {
    const power = powerOf(exponents[0]!);
    for (let i = 0; i < decoded.length; i++) decoded[i] = halfValue(values[i]!) * power;
  } else if (values instanceof Uint8Array) {
    for (let from = 0, group = 0; from < decoded.length; from += INT8_GROUP, group++) {
      const power = powerOf(exponents[group]!);
      const to = Math.min(from + INT8_GROUP, decoded.length);
      for (let i = from; i < to; i++) decoded[i] = ((values[i]! << 24) >> 24) * power;
    }
  }
  return decoded;
}

/** The gradient as others will have it. */
export const rounded = (gradient: Float32Array, uploads: Uploads, key: RoundingKey): Float32Array =>
  decodeUpload(encodeUpload(gradient, uploads, key));

/** What was rounded already, without a change. */
export const encodeRounded = (gradient: Float32Array, uploads: Uploads): FrameTensor[] =>
  encodeUpload(gradient, uploads, { seed: 0, round: 0, block: 'merged', position: 0 });

/** Of tensors on their way, without the message around them. */
export const sentBits = (tensors: readonly FrameTensor[]): number =>
  tensors.reduce((sum, { byteLength }) => sum + 8 * byteLength, 0);

/** Several gradients, one after the other, as they travel in one message. */
export function encodeUploads(
  parts: readonly { readonly block: Block; readonly gradient: Float32Array }[],
  uploads: Uploads,
  key: Omit<RoundingKey, 'block'>,
): FrameTensor[] {
  const encoded = parts.map(({ block, gradient }) => encodeUpload(gradient, uploads, { ...key, block }));
  const values = encoded.map(([one]) => one);
  if (uploads === 'f32') return [joined(Float32Array, values)];
  const exponents = joined(
    Uint8Array,
    encoded.map(([, one]) => one),
  );
  return [uploads === 'f16' ? joined(Uint16Array, values) : joined(Uint8Array, values), exponents];
}

/** The gradients of `encodeUploads`, of so many values each. */
export function decodeUploads(tensors: readonly FrameTensor[], lengths: readonly number[]): Float32Array[] {
  const [values, exponents] = tensors;
  const perPart = (length: number): number => (values instanceof Uint16Array ? 1 : Math.ceil(length / INT8_GROUP));
  let at = 0;
  let exponentAt = 0;
  return lengths.map((length) => {
    const own = values?.subarray(at, at + length) ?? new Float32Array(0);
    const ownExponents = exponents?.subarray(exponentAt, exponentAt + perPart(length));
    at += length;
    exponentAt += perPart(length);
    return decodeUpload(ownExponents === undefined ? [own] : [own, ownExponents]);
  });
}

/**
 * Throws an Error with one sentence where the tensors cannot be gradients of so many values each. Whether values are finite is not
 * judged here.
 */
export function checkUpload(
  tensors: readonly FrameTensor[],
  lengths: readonly number[],
  uploads: Uploads,
  what: string,
): void {
  const belong = uploads === 'f32' ? 1 : 2;
  if (tensors.length !== belong) throw new Error(`${what} came as ${tensors.length} tensors where ${belong} belong.`);
  const [values, exponents] = tensors;
  const kind = { f32: Float32Array, f16: Uint16Array, int8: Uint8Array }[uploads];
  if (!(values instanceof kind)) throw new Error(`${what} is missing: this session’s travel as ${uploads}.`);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (values.length !== total) throw new Error(`${what} has ${values.length} values where ${total} belong.`);
  if (uploads === 'f32') return;
  const wanted =
    uploads === 'f16' ? lengths.length : lengths.reduce((sum, length) => sum + Math.ceil(length / INT8_GROUP), 0);
  if (!(exponents instanceof Uint8Array) || exponents.length !== wanted)
    throw new Error(`${what} has not the ${wanted} exponents that belong to its values.`);
  // A whole number of at most 127, whichever sign: -128 has no opposite and nobody makes it.
  if (uploads === 'int8' && values.includes(128)) throw new Error(`${what} holds a value out of range.`);
}

/** Throws an Error with one sentence where the tensors cannot be a step: no values, or the merged gradient, which is finite. */
export function checkStep(
  tensors: readonly FrameTensor[],
  { parameterCount, uploads }: { readonly parameterCount: number; readonly uploads: Uploads },
): void {
  const [values, exponents] = tensors;
  if (tensors.length === 1 && values instanceof Float32Array && values.length === 0) return;
  checkUpload(tensors, [parameterCount], uploads, 'An update');
  const finite = values instanceof Float32Array ? values.every(Number.isFinite) : !exponents!.includes(NOT_FINITE);
  const isHalf = values instanceof Uint16Array;
  if (!finite || (isHalf && values.some((half) => (half & HALF_INFINITE) === HALF_INFINITE)))
    throw new Error('An update holds a value that is not a finite number.');
}

const powerOf = (stored: number): number => (stored === NOT_FINITE ? Number.NaN : 2 ** (stored - EXPONENT_BIAS));

/** The largest size among values `from` to `to`; NaN where one is not finite. */
function largestOf(values: Float32Array, from: number, to: number): number {
  let largest = 0;
  for (let i = from; i < to; i++) {
    const size = Math.abs(values[i]!);
    if (!(size < Number.POSITIVE_INFINITY)) return Number.NaN;
    if (size > largest) largest = size;
  }
  return largest;
}

/** floor(log2(size)) of a number that an f32 can be, exactly. */
function exponentOf(size: number): number {
  const guess = Math.floor(Math.log2(size));
  if (2 ** guess > size) return guess - 1;
  return 2 ** (guess + 1) <= size ? guess + 1 : guess;
}

const stored = (exponent: number): number => Math.max(0, exponent + EXPONENT_BIAS);

function toHalves(gradient: Float32Array): FrameTensor[] {
  const halves = new Uint16Array(gradient.length);
  const largest = largestOf(gradient, 0, gradient.length);
  if (largest === 0) return [halves, Uint8Array.of(0)];
  if (Number.isNaN(largest)) return [halves, Uint8Array.of(NOT_FINITE)];
  const exponent = exponentOf(largest);
  // By what the largest is rounded to, so that its power is the same when it is encoded again.
  const top = halfValue(halfBits(bitsOf(largest / 2 ** exponent))) === 2 ? exponent + 1 : exponent;
  const byte = stored(top - HALF_TOP);
  const power = powerOf(byte);
  const scaled = new Float32Array(1);
  const bits = new Uint32Array(scaled.buffer);
  for (let i = 0; i < halves.length; i++) {
    scaled[0] = gradient[i]! / power;
    halves[i] = halfBits(bits[0]!);
  }
  return [halves, Uint8Array.of(byte)];
}

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;

function toCodes(gradient: Float32Array, key: RoundingKey): FrameTensor[] {
  const codes = new Uint8Array(gradient.length);
  const exponents = new Uint8Array(Math.ceil(gradient.length / INT8_GROUP));
  const drawn = drawsOf(key);
  for (let from = 0, group = 0; from < codes.length; from += INT8_GROUP, group++) {
    const to = Math.min(from + INT8_GROUP, codes.length);
    const largest = largestOf(gradient, from, to);
    if (largest === 0) continue;
    if (Number.isNaN(largest)) {
      exponents[group] = NOT_FINITE;
      continue;
    }
    const exponent = exponentOf(largest) - INT8_TOP;
    // No more than 127, so that no rounding up has to be cut off, which would not be even.
    const byte = stored(largest / 2 ** exponent > INT8_MOST ? exponent + 1 : exponent);
    const power = powerOf(byte);
    exponents[group] = byte;
    for (let i = from; i < to; i++) {
      const exact = gradient[i]! / power;
      const below = Math.floor(exact);
      codes[i] = below + (drawn(i) < (exact - below) * 2 ** 32 ? 1 : 0);
    }
  }
  return [codes, exponents];
}

/** A number in 0 to 2^32 - 1 for each element, as dropout draws its own (`worker/engine/dropout.ts`), elsewhere in the same space. Asked in ascending order. */
function drawsOf({ seed, round, block, position }: RoundingKey): (element: number) => number {
  const site = block === 'merged' ? MERGED_SITE : block === 'head' ? HEAD_SITE : block;
  const key = Uint32Array.of(seed, round, ROUNDING_SITES + site, position);
  pcg4d(key);
  const words = new Uint32Array(4);
  let drawn = -1;
  return (element) => {
    const four = element >>> 2;
    if (four !== drawn) {
      drawn = four;
      words.set(key);
      words[0] = words[0]! + four;
      pcg4d(words);
    }
    return words[element & 3]!;
  };
}

function joined<T extends Float32Array | Uint16Array | Uint8Array>(
  make: new (length: number) => T,
  parts: readonly (FrameTensor | undefined)[],
): T {
  const all = new make(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (part === undefined) continue;
    all.set(part, at);
    at += part.length;
  }
  return all;
}
