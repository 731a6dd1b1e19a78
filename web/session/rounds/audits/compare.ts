import type { Block } from '../../../../signaling/protocol/round.ts';
import * as say from '../../../words/session/rounds.ts';
import type { Tolerance } from './tolerance.ts';

/** A block's gradient; of a stage of a split room also the hidden states that it sent up, and the gradient of its input that it sent down. */
export type MadePart = Block | 'up' | 'down';

/** What a device made of an order, or of an audit of it, and the loss summed over the samples where it has the head. */
export interface Made {
  readonly parts: ReadonlyMap<MadePart, Float32Array>;
  /** Null where no loss is part of it. */
  readonly lossSum: number | null;
}

/**
 * How one computation of a gradient, a, stands to another, b. Rounding moves a gradient about but hardly makes it longer or shorter:
 * what it adds stands almost at right angles to b. So the length along b is looked at apart, and a gradient scaled by 1.05 shows
 * in half precision, too.
 */
export interface Difference {
  /** |a - b| / size, where size is the larger of both norms, and no less than what is too small to matter. */
  readonly distance: number;
  /** |<a - b, b>| / size^2: by how much a is longer along b, or shorter. */
  readonly stretch: number;
}

/** <a,a>, <b,b>, <a - b, b> and |a - b|^2, in float64. */
export interface Products {
  readonly aa: number;
  readonly bb: number;
  readonly along: number;
  readonly apart: number;
}

export function productsOf(a: Float32Array, b: Float32Array): Products {
  if (a.length !== b.length) throw new RangeError(say.gradientsOfAndValues(a.length, b.length));
  let [aa, bb, along, apart] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    along += difference * b[i];
    apart += difference * difference;
  }
  return { aa, bb, along, apart };
}

/** `least` is the norm below which a gradient of this block does not matter. */
export function differenceOf({ aa, bb, along, apart }: Products, least: number): Difference {
  const size = Math.max(Math.sqrt(aa), Math.sqrt(bb), least);
  if (size === 0) return { distance: 0, stretch: 0 };
  return { distance: Math.sqrt(apart) / size, stretch: Math.abs(along) / (size * size) };
}

/** |a - b| of two losses of so many samples, over the larger of them, and over no less than what is too small to matter. */
export function lossDifference(a: number, b: number, samples: number, leastPerSample: number): number {
  return Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), samples * leastPerSample);
}

/** The largest distance between the parts of two computations of the same. */
export function distanceOf(claimed: Made, found: Made, least: (part: MadePart) => number): number {
  let most = 0;
  for (const [part, values] of claimed.parts) {
    const other = found.parts.get(part) ?? new Float32Array(values.length);
    const { distance } = differenceOf(productsOf(values, other), least(part));
    // What is no number is as far as anything.
    most = Math.max(most, Number.isFinite(distance) ? distance : 1);
  }
  return most;
}

/** In which two computations of the same are further apart than honest ones: a block and its products, or two losses. */
export type Mismatch =
  | { readonly of: MadePart | 'logits'; readonly products: Products }
  | { readonly of: 'loss'; readonly claimed: number; readonly found: number }
  /** What went between two stages is not what one of them says, and the host saw it. */
  | { readonly of: 'cut' };

/**
 * The worst thing in which `claimed` differs from `found` by more than the tolerance; null where they agree. What is missing in `found` differs.
 * `least` gives the norm below which a gradient of a block over these samples does not matter.
 */
export function mismatchOf(
  claimed: Made,
  found: Made,
  samples: number,
  tolerance: Tolerance,
  least: (part: MadePart) => number,
): Mismatch | null {
  let worst: { readonly mismatch: Mismatch; readonly times: number } | null = null;
  const look = (mismatch: Mismatch, times: number): void => {
    // Written so that what is no number counts as too far.
    if (!(times <= 1) && !(times <= (worst?.times ?? 0))) worst = { mismatch, times };
  };
  for (const [part, values] of claimed.parts) {
    const other = found.parts.get(part);
    const products = productsOf(values, other ?? new Float32Array(values.length));
    const { distance, stretch } = differenceOf(products, least(part));
    look({ of: part, products }, Math.max(distance / tolerance.distance, stretch / tolerance.stretch));
  }
  if (claimed.lossSum !== null) {
    const [a, b] = [claimed.lossSum, found.lossSum ?? Number.NaN];
    const times = lossDifference(a, b, samples, tolerance.leastLoss) / tolerance.loss;
    look({ of: 'loss', claimed: a, found: b }, times);
  }
  return (worst as { readonly mismatch: Mismatch } | null)?.mismatch ?? null;
}

function nameOf(part: MadePart | 'logits'): string {
  if (part === 'logits') return say.itsAnswerToExamples;
  if (part === 'up') return say.whatItSentUp;
  if (part === 'down') return say.whatItSentDown;
  return part === 'head' ? say.itsGradientOfTheHead : say.itsGradientOfLayer(part);
}
/** What is that much longer or shorter and hardly bent was scaled. */
const BENT = 0.3;

/** What was wrong, to go on after "In round 7": "its gradient of layer 3 was 1.05 times what others computed from the same samples". */
export function mismatchWords(mismatch: Mismatch): string {
  if (mismatch.of === 'loss') {
    const { claimed, found } = mismatch;
    return say.itSaidThatItsLoss(claimed.toPrecision(4), found.toPrecision(4));
  }
  if (mismatch.of === 'cut') return say.itDeniedWhatItHad;
  const { aa, bb, along, apart } = mismatch.products;
  const its = nameOf(mismatch.of);
  if (aa === 0) return say.wasZeroWhereOthersFound(its);
  const scale = bb === 0 ? Number.NaN : 1 + along / bb;
  const bent = Math.sqrt(Math.max(0, apart - (along * along) / bb));
  if (bent < BENT * Math.abs(along / Math.sqrt(bb))) {
    if (scale < 0) return say.pointedTheOtherWay(its);
    return say.wasTimesWhatOthersComputed(its, scale.toPrecision(3));
  }
  const percent = (100 * Math.sqrt(apart)) / Math.max(Math.sqrt(aa), Math.sqrt(bb));
  return say.wasOffByPercent(its, percent.toPrecision(2));
}
