import type { Channel, LinkCoefficients } from './problem.ts';

/**
 * How bits per second follow from hertz. `ofdma` with fixed spectral efficiency and `airtime` are both linear,
 * rate = W * r; the power-limited rate is W * log2(1 + s / W) with s = P h / N0 in hertz (Shannon, over an AWGN channel).
 */
export type RateLaw = 'linear' | 'power-limited';

export function rateLaw(channel: Channel | undefined): RateLaw {
  return channel === 'ofdma-power' ? 'power-limited' : 'linear';
}

/** r in bit/s/Hz or s in hertz, whichever the law reads. A device without one has no link. */
export function linkCoefficient(law: RateLaw, link: LinkCoefficients): number {
  return (law === 'linear' ? link.bitsPerSecondPerHz : link.snrHz) ?? 0;
}

export function bitsPerSecond(law: RateLaw, coefficient: number, hertz: number): number {
  if (hertz <= 0 || coefficient <= 0) return 0;
  if (law === 'linear') return hertz * coefficient;
  return (hertz * Math.log1p(coefficient / hertz)) / Math.LN2;
}

/** Infinity where nothing can be sent; 0 for 0 bits. */
export function uploadSeconds(law: RateLaw, coefficient: number, hertz: number, bits: number): number {
  return bits <= 0 ? 0 : bits / bitsPerSecond(law, coefficient, hertz);
}

/** The least bandwidth that carries `bits` in `seconds`; Infinity where no bandwidth does. */
export function hertzNeeded(law: RateLaw, coefficient: number, bits: number, seconds: number): number {
  if (bits <= 0) return seconds >= 0 ? 0 : Infinity;
  if (seconds <= 0 || coefficient <= 0) return Infinity;
  if (law === 'linear') return bits / (seconds * coefficient);
  return powerLimitedHertz(coefficient, bits / seconds);
}

/**
 * Inverts W * log2(1 + s / W) = rate. With q = rate * ln 2 / s (below 1, or even infinite bandwidth is too little) and
 * z = q * (1 + s / W) the equation becomes z - ln z = q - ln q with z > 1: the other branch of Lambert's W.
 */
function powerLimitedHertz(s: number, rate: number): number {
  const q = (rate * Math.LN2) / s;
  if (q >= 1) return Infinity;
  const excess = q - 1 - Math.log(q);
  // The root lies between 1 + sqrt(2 e) + 2 e / 3 and 1 + sqrt(2 e) + e (Chatzigeorgiou, IEEE Comm. Letters 2013); Halley's method.
  let z = 1 + Math.sqrt(2 * excess) + 0.8 * excess;
  for (let step = 0; step < 20; step++) {
    const miss = z - 1 - Math.log(z) - excess;
    const slope = 1 - 1 / z;
    const move = miss / (slope - miss / (2 * z * z * slope));
    z -= move;
    // The error is cubed by every step: this one left less than rounding.
    if (Math.abs(move) <= 1e-5 * (z - 1)) break;
  }
  return (s * q) / (z - q);
}
