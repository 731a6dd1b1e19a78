import { bitsPerSecond } from '../problem/channel.ts';
import { type Fleet, runBits } from '../problem/fleet.ts';
import { statedBound } from '../problem/stated-bound.ts';

/** hertz >= perBit * rate - offset: lines below the least hertz that a rate takes. */
interface Line {
  readonly perBit: number;
  readonly offset: number;
}

/** What the prices say at one latency: a lower bound on the hertz needed, and how many samples each block would get (N + 1, head first). */
interface Dual {
  readonly hertz: number;
  readonly covered: Float64Array;
}

/** Pair evaluations that a bound may cost. */
const WORK = 3_000_000;
const MAX_EVALUATIONS = 150;
const STEPS_PER_ROUND = 20;
/** The latency that given prices exclude is found to this part of itself. */
const CLOSE = 0.01;

/**
 * No plan of teams is faster. Give every (sample, block) pair a price in hertz; a team plan needs at least what all pairs are worth less
 * what each device can gain at those prices by taking some samples down to some block and sending some run of blocks, at the hertz that
 * finishing before T takes. The devices part company there (it no longer matters who is in whose team, and samples may be fractions), so the gain of each
 * has a closed form. Where this exceeds the whole bandwidth, T is out of reach. The prices climb by subgradients; for given prices
 * the largest such T is found by bisection, as needing hertz falls with T.
 */
export function teamsBound(fleet: Fleet, reachedSeconds: number): number {
  const lines = fleet.devices.map((_, k) => linesBelow(fleet, k));
  // Twice the whole bandwidth in all, so that some latency is out of reach from the start.
  const prices = new Float64Array(fleet.blocks + 1).fill((2 * fleet.bandwidthHz) / fleet.samples / (fleet.blocks + 1));
  const cost = fleet.devices.length * fleet.blocks ** 2 * (lines[0]?.length ?? 1);
  let left = Math.max(20, Math.min(MAX_EVALUATIONS, Math.floor(WORK / cost)));
  const evaluate = (limitSeconds: number): Dual => {
    left--;
    return hertzAtPrices(fleet, lines, prices, limitSeconds);
  };
  let low = 0;
  while (left > 0 && reachedSeconds - low > 1e-4 * reachedSeconds) {
    let high = reachedSeconds;
    while (left > 0 && high - low > CLOSE * high) {
      const middle = low > 0 ? Math.max((low + high) / 2, Math.sqrt(low * high)) : high / 4;
      if (evaluate(middle).hertz > fleet.bandwidthHz) low = middle;
      else high = middle;
    }
    // Not far above what is excluded, where the prices have something to show for a step.
    let limit = low + Math.min(0.3 * (reachedSeconds - low), 0.15 * low);
    for (let step = 0; step < STEPS_PER_ROUND && left > 0; step++) {
      const dual = evaluate(limit);
      if (dual.hertz > fleet.bandwidthHz) {
        low = limit;
        limit = (low + reachedSeconds) / 2;
      } else climb(fleet, prices, dual, step);
    }
  }
  return statedBound(low);
}

/** Towards blocks that get too few samples; Polyak's step to a fifth above the whole bandwidth. */
function climb(fleet: Fleet, prices: Float64Array, { hertz, covered }: Dual, step: number): void {
  let square = 0;
  for (const samples of covered) square += (fleet.samples - samples) ** 2;
  if (square === 0) return;
  const length = (1.2 * fleet.bandwidthHz - hertz) / square / (1 + step / 20);
  for (let b = 0; b < prices.length; b++) {
    prices[b] = Math.max(0, prices[b]! + length * (fleet.samples - covered[b]!));
  }
}

/** In the linear channels hertz = rate / r itself; tangents elsewhere, at parts of the whole bandwidth. */
function linesBelow(fleet: Fleet, device: number): Line[] {
  const coefficient = fleet.coefficient[device]!;
  if (fleet.law === 'linear' || coefficient === 0) return [{ perBit: 1 / coefficient, offset: 0 }];
  return [3, 12, 48].map((part) => {
    const hertz = fleet.bandwidthHz / part;
    const rate = bitsPerSecond(fleet.law, coefficient, hertz);
    const x = coefficient / hertz;
    const perBit = Math.LN2 / (Math.log1p(x) - x / (1 + x));
    return { perBit, offset: perBit * rate - hertz };
  });
}

function hertzAtPrices(fleet: Fleet, lines: readonly Line[][], prices: Float64Array, limitSeconds: number): Dual {
  const { layers, blocks, depthOf, samples, headBits } = fleet;
  const covered = new Float64Array(blocks + 1);
  let hertz = 0;
  for (const price of prices) hertz += samples * price;
  // In the linear channels the head may be taken to go with depth 1 or alone; elsewhere with any run.
  const headAnywhere = fleet.law !== 'linear';
  for (let k = 0; k < fleet.devices.length; k++) {
    const { overheadSeconds, secondsPerSample: s } = fleet.devices[k]!;
    const seconds = limitSeconds - overheadSeconds;
    const forward = s.embed + layers * s.forwardPerLayer + s.head;
    const own = lines[k]!;
    let gain = 0;
    let count = 0;
    let from = 0;
    let to = 0;
    let head = false;
    for (let deepest = 0; deepest <= fleet.deepestHeld[k]!; deepest++) {
      const perSample = forward + depthOf[deepest]! * s.backwardPerLayer;
      if (seconds <= perSample) break;
      const most = Math.min(samples, perSample > 0 ? (seconds / perSample) * (1 - 1e-12) : samples);
      let worth = 0;
      for (let above = deepest; above >= 0; above--) {
        if (above < deepest) worth += prices[above + 1]!;
        const bits = runBits(fleet, above, deepest);
        for (let withHead = above < deepest ? 0 : 1; withHead < 2; withHead++) {
          if (withHead === 1 && above > 0 && !headAnywhere) continue;
          const value = worth + (withHead === 1 ? prices[0]! : 0);
          const sent = bits + (withHead === 1 ? headBits : 0);
          if (value <= 0) continue;
          let least = -value * most;
          let at = most;
          for (let i = 0; i < own.length && sent > 0; i++) {
            const { perBit, offset } = own[i]!;
            // min over n of perBit * sent / (seconds - n * perSample) - n * value
            let n = (seconds - Math.sqrt((perBit * sent * perSample) / value)) / perSample;
            n = n >= 1 ? Math.min(n, most) : 1;
            const net = (perBit * sent) / (seconds - n * perSample) - offset - n * value;
            if (net > least) {
              least = net;
              at = n;
            }
          }
          if (least < gain) {
            gain = least;
            count = at;
            from = above;
            to = deepest;
            head = withHead === 1;
          }
        }
      }
    }
    hertz += gain;
    for (let b = from + 1; b <= to; b++) covered[b]! += count;
    if (head) covered[0]! += count;
  }
  return { hertz, covered };
}
