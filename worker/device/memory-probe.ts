import * as v from 'valibot';
import type { Engine } from '../engine/engine.ts';
import { recallFact, rememberFact } from '../engine/machine-facts.ts';
import { deepestTrained } from '../model/layout.ts';

/** What the deepest order of a session would need, and how much memory training may claim here. */
export interface MemoryClaim {
  readonly samples: number;
  readonly tokens: number;
  readonly limitBytes: number;
}

/** After a tab died in a probe, the next takes half; each that goes well raises that again by a quarter. */
const RemainsSchema = v.strictObject({ limitBytes: v.number(), underWay: v.boolean() });
const RAISE = 1.25;

/**
 * The bytes that training may take on this device: what was claimed where the session's deepest order, in the largest micro-batch within
 * the claim, can have its memory; less where it cannot. Nothing more than that order needs is ever asked for. A browser may end a tab
 * that takes too much without a word, so what is tried is written down first.
 */
export async function probeMemory(engine: Engine, claim: MemoryClaim): Promise<number> {
  const key = ['memory probe', engine.backend].join('/');
  const earlier = v.safeParse(RemainsSchema, await recallFact(key));
  const believed = earlier.success ? earlier.output.limitBytes * (earlier.output.underWay ? 0.5 : RAISE) : Infinity;
  const limitBytes = Math.min(claim.limitBytes, believed);
  const orders = smallerAndSmaller(engine, { ...claim, limitBytes });
  for (const [index, { samples, depth, bytes }] of orders.entries()) {
    await rememberFact(key, { limitBytes: bytes, underWay: true });
    const fits = await engine.fits(samples, claim.tokens, { savedLayers: depth });
    await rememberFact(key, { limitBytes: fits && index === 0 ? limitBytes : bytes, underWay: false });
    if (fits) return index === 0 ? limitBytes : bytes;
  }
  return 0;
}

interface ProbedOrder {
  readonly samples: number;
  readonly depth: number;
  readonly bytes: number;
}

/** Orders within the limit, the deepest and largest first: then half the samples, and half the layers for a single one. */
function smallerAndSmaller(engine: Engine, { samples: most, tokens, limitBytes }: MemoryClaim): readonly ProbedOrder[] {
  const order = (samples: number, depth: number): ProbedOrder => {
    const { weightsBytes, transientBytes, savedBytes, gradientBytes } = engine.bytes(samples, tokens, {
      savedLayers: depth,
    });
    return { samples, depth, bytes: weightsBytes + transientBytes + savedBytes + gradientBytes };
  };
  const layers = deepestTrained(engine.layout);
  const largest = largestWithin(most, (samples) => order(samples, layers).bytes <= limitBytes);
  const orders = halves(largest).map((samples) => order(samples, layers));
  const deepest = largestWithin(layers, (depth) => order(1, depth).bytes <= limitBytes);
  const shallower = halves(Math.min(deepest, layers - 1)).map((depth) => order(1, depth));
  const none = order(1, 0);
  return [...orders, ...shallower, ...(none.bytes <= limitBytes ? [none] : [])];
}

/** The largest number up to `most` of which `holds`, which holds of all below it; 0 where it holds of none. */
function largestWithin(most: number, holds: (n: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** n, n/2, … 1; nothing for 0. */
function halves(n: number): readonly number[] {
  return n < 1 ? [] : [n, ...halves(Math.floor(n / 2))];
}
