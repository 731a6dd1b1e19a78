import { bitsPerSecond, hertzNeeded, type RateLaw, uploadSeconds } from './channel.ts';

/** What a device has to compute and then to send, whatever the bandwidth. */
export interface Demand {
  readonly computeSeconds: number;
  readonly uploadBits: number;
  /** r in bit/s/Hz or s in hertz, as the rate law reads it. */
  readonly coefficient: number;
}

export interface Shares {
  /** Infinity when some demand can not be met at any bandwidth. */
  readonly latencySeconds: number;
  /** One per demand; they sum to at most the whole. */
  readonly hertz: readonly number[];
}

/** Largest compute + upload at given bandwidths. */
export function latencyAt(law: RateLaw, demands: readonly Demand[], hertz: readonly number[]): number {
  let latency = 0;
  demands.forEach((demand, i) => {
    const seconds = demand.computeSeconds + uploadSeconds(law, demand.coefficient, hertz[i]!, demand.uploadBits);
    if (seconds > latency) latency = seconds;
  });
  return latency;
}

/**
 * The bandwidths that minimise the latest finish: all who send finish together at the T where the hertz needed sum to the whole.
 * The sum is convex and falling in T, so Newton's method climbs to the root from the left without overshooting.
 */
export function shareBandwidth(law: RateLaw, demands: readonly Demand[], bandwidthHz: number): Shares {
  let idle = 0;
  let T = 0;
  const senders: Demand[] = [];
  for (const demand of demands) {
    if (demand.uploadBits <= 0) {
      idle = Math.max(idle, demand.computeSeconds);
      continue;
    }
    senders.push(demand);
    T = Math.max(T, demand.computeSeconds + demand.uploadBits / bitsPerSecond(law, demand.coefficient, bandwidthHz));
  }
  if (!Number.isFinite(T)) return { latencySeconds: Infinity, hertz: demands.map(() => 0) };
  if (senders.length === 1 && idle <= T) {
    return { latencySeconds: T, hertz: demands.map((demand) => (demand.uploadBits > 0 ? bandwidthHz : 0)) };
  }
  if (senders.length > 1) T = climb(law, senders, bandwidthHz, T);
  T = Math.max(T, idle);
  const wanted = demands.map((d) => hertzNeeded(law, d.coefficient, d.uploadBits, T - d.computeSeconds));
  const total = wanted.reduce((a, b) => a + b, 0);
  // Rounding can leave the sum a few ulp above the whole; spare bandwidth (an idle device sets T) is not handed out.
  const scale = total > bandwidthHz ? bandwidthHz / total : 1;
  const hertz = wanted.map((w) => w * scale);
  return { latencySeconds: latencyAt(law, demands, hertz), hertz };
}

function climb(law: RateLaw, senders: readonly Demand[], bandwidthHz: number, from: number): number {
  let T = from;
  for (let step = 0; step < 100; step++) {
    let total = 0;
    let slope = 0;
    for (const { computeSeconds, uploadBits, coefficient } of senders) {
      const seconds = T - computeSeconds;
      const hertz = hertzNeeded(law, coefficient, uploadBits, seconds);
      total += hertz;
      slope += slopeOf(law, coefficient, uploadBits, seconds, hertz);
    }
    const next = T + (total - bandwidthHz) / slope;
    // The first T is where one sender alone takes the whole: never infinite but for rounding.
    if (!Number.isFinite(next)) {
      T *= 1 + 1e-15;
      continue;
    }
    if (!(next > T * (1 + 1e-16))) break;
    T = next;
  }
  return T;
}

/** -dW/dT of the hertz needed, W(T) = inverse rate of bits / T. */
function slopeOf(law: RateLaw, coefficient: number, bits: number, seconds: number, hertz: number): number {
  if (law === 'linear') return hertz / seconds;
  const x = coefficient / hertz;
  const ratePerHertz = (Math.log1p(x) - x / (1 + x)) / Math.LN2;
  return bits / (seconds * seconds) / ratePerHertz;
}
