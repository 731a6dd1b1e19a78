import { pcg4d } from '../../signaling/protocol/exchange/pcg4d.ts';
import type { ParameterLayout, ParameterSlot } from './layout.ts';
import type { Weights } from './weights.ts';

/** `initializer_range` of RoBERTa's configuration, with which Hugging Face draws a new head. */
const HEAD_STANDARD_DEVIATION = 0.02;

/**
 * The flat vector that a session starts from, the same on every machine for a seed: only integer hashing, additions and one
 * multiplication a value, no transcendental functions, whose last bits differ between browsers.
 * LoRA A is uniform in ±1/sqrt(in) (kaiming_uniform with a = sqrt(5), as PEFT does), B is zero, so the adapted model equals the base.
 * The head is the model file's where that has one of the task's shape; otherwise its weights are drawn and its biases zero.
 */
export async function initialParameters(
  layout: ParameterLayout,
  weights: Weights,
  seed: number,
): Promise<Float32Array> {
  const values = new Float32Array(layout.length);
  const view = (slot: ParameterSlot) => values.subarray(slot.offset, slot.offset + slot.length);
  for (const block of layout.layers)
    for (const slot of block.slots)
      if (slot.name.endsWith('.A')) fillUniform(view(slot), 1 / Math.sqrt(slot.shape[1]!), seed, slot.offset);
  const fileHasHead = layout.head.slots.every((slot) => weights.has(slot.name, slot.shape));
  for (const slot of layout.head.slots) {
    if (fileHasHead) view(slot).set(await weights.read(slot.name, slot.shape));
    else if (slot.name.endsWith('.weight')) fillNormal(view(slot), HEAD_STANDARD_DEVIATION, seed, slot.offset);
  }
  return values;
}

/** Keeps this stream apart from the dropout masks of the same seed. */
const STREAM = 0x1417;

/** Value i is drawn from (seed, offset + i): it depends on nothing that was drawn before. */
function fillUniform(out: Float32Array, bound: number, seed: number, offset: number): void {
  const words = new Uint32Array(4);
  for (let i = 0; i < out.length; i++) {
    words.set([seed, offset + i, 0, STREAM]);
    pcg4d(words);
    out[i] = ((words[0]! + 0.5) / 2 ** 31 - 1) * bound;
  }
}

/** The sum of twelve uniforms minus six has mean 0 and variance 1 and is normal to the eye, out to six deviations (Irwin-Hall). */
function fillNormal(out: Float32Array, deviation: number, seed: number, offset: number): void {
  const words = new Uint32Array(4);
  for (let i = 0; i < out.length; i++) {
    let sum = -6;
    for (let call = 1; call <= 3; call++) {
      words.set([seed, offset + i, call, STREAM]);
      pcg4d(words);
      for (const word of words) sum += (word + 0.5) / 2 ** 32;
    }
    out[i] = sum * deviation;
  }
}
