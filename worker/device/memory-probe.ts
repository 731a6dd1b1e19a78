import * as v from 'valibot';
import type { Engine, PassNeeds } from '../engine/engine.ts';
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
const LEAST_FOR_ENGINE_BYTES = 64e6;

/**
 * The bytes that training may take on this device: what was claimed where the session's deepest order, in the largest micro-batch within
 * the claim, can have its memory; less where it cannot. Nothing more than that order needs is ever asked for. A browser may end a tab
 * that takes too much without a word, so what is tried is written down first.
 */
export function probeMemory(engine: Engine, claim: MemoryClaim): Promise<number> {
  return probe(engine, claim, (limitBytes) => smallerAndSmaller(engine, { ...claim, limitBytes }));
}

/** What a device that will hold some of a model's layers may be asked for, and what it holds of them in the meantime: one. */
export interface PartClaim extends MemoryClaim {
  /** That go backward in the whole model. */
  readonly layers: number;
  /** Of the whole model's weights beside those that the engine has. */
  readonly otherBytes: number;
}

/**
 * The same for a device that does not know its run yet, by an engine of one layer: passes stay open side by side, each a layer's memory,
 * until they take what the claim allows, or what the whole model would if that is less. They stand in for weights, too.
 */
export function probePartMemory(engine: Engine, claim: PartClaim): Promise<number> {
  const bytesOf = (openPasses: number): number => {
    const bytes = engine.bytes(1, claim.tokens, { savedLayers: Math.min(1, openPasses), openPasses });
    return bytes.weightsBytes + bytes.transientBytes + bytes.savedBytes + bytes.gradientBytes;
  };
  const { savedBytes } = engine.bytes(1, claim.tokens, { savedLayers: 1 });
  const most = claim.layers * claim.samples + Math.ceil(Math.max(0, claim.otherBytes) / Math.max(1, savedBytes));
  return probe(engine, claim, (limitBytes) => {
    const within = largestWithin(most, (passes) => bytesOf(passes) <= limitBytes);
    return [...halves(within), 0]
      .map((openPasses) => ({
        samples: 1,
        needs: { savedLayers: Math.min(1, openPasses), openPasses },
        bytes: bytesOf(openPasses),
      }))
      .filter(({ bytes }) => bytes <= limitBytes);
  });
}

/**
 * What of a limit is for what the engine counts. Below the least, limits are for models so small that a library would be most of it: there
 * it comes on top.
 */
export const forEngine = ({ besideBytes = 0 }: Pick<Engine, 'besideBytes'>, limitBytes: number): number =>
  Math.max(Math.min(limitBytes, LEAST_FOR_ENGINE_BYTES), limitBytes - besideBytes);

/** The device gave out under more than this: the next session begins here. */
export const rememberLimit = ({ backend }: Pick<Engine, 'backend'>, limitBytes: number): Promise<void> =>
  rememberFact(keyOf(backend), { limitBytes, underWay: false });

const keyOf = (backend: string): string => ['memory probe', backend].join('/');

async function probe(
  engine: Engine,
  claim: MemoryClaim,
  ordersWithin: (limitBytes: number) => readonly ProbedOrder[],
): Promise<number> {
  const key = keyOf(engine.backend);
  const earlier = v.safeParse(RemainsSchema, await recallFact(key));
  const believed = earlier.success ? earlier.output.limitBytes * (earlier.output.underWay ? 0.5 : RAISE) : Infinity;
  const limitBytes = Math.min(forEngine(engine, claim.limitBytes), believed);
  for (const [index, { samples, needs, bytes }] of ordersWithin(limitBytes).entries()) {
    await rememberFact(key, { limitBytes: bytes, underWay: true });
    const fits = await engine.fits(samples, claim.tokens, needs);
    await rememberFact(key, { limitBytes: fits && index === 0 ? limitBytes : bytes, underWay: false });
    if (fits) return index === 0 ? limitBytes : bytes;
  }
  return 0;
}

interface ProbedOrder {
  readonly samples: number;
  readonly needs: PassNeeds;
  readonly bytes: number;
}

/** Orders within the limit, the deepest and largest first: then half the samples, and half the layers for a single one. */
function smallerAndSmaller(engine: Engine, { samples: most, tokens, limitBytes }: MemoryClaim): readonly ProbedOrder[] {
  const order = (samples: number, depth: number): ProbedOrder => {
    const needs = { savedLayers: depth };
    const { weightsBytes, transientBytes, savedBytes, gradientBytes } = engine.bytes(samples, tokens, needs);
    return { samples, needs, bytes: weightsBytes + transientBytes + savedBytes + gradientBytes };
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
