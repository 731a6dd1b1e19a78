import type { Channel, TabularDevice, TabularProblem } from './problem.ts';
import { type Draw, drawsFrom } from './random.ts';

/**
 * The published generator of random tabular problems: what `lola`'s gap, the benchmarks and the property tests are measured on.
 * Devices differ in speed (log-normal), in memory and in link (log-normal around a distance loss, with Rayleigh fading); compute and
 * memory rise with depth; all blocks have one size, about as long to send as to compute.
 */
export interface GeneratorOptions {
  readonly devices: number;
  readonly depths: number;
  readonly channel?: Channel;
  /** Part of the devices whose memory can not hold every depth. */
  readonly limited?: number;
}

export function generateProblem(seed: number, options: GeneratorOptions): TabularProblem {
  const { devices, depths, channel = 'ofdma', limited = 0.3 } = options;
  const draw = drawsFrom(seed);
  const uploadBits = 4e6;
  const bandwidthHz = channel === 'airtime' ? 1 : 1e6 * depths;
  return {
    blocks: Array.from({ length: depths }, () => ({ uploadBits })),
    devices: Array.from({ length: devices }, (_, k) => device(draw, `device-${k}`, depths, channel, limited)),
    bandwidthHz,
    channel,
  };
}

function device(draw: Draw, id: string, depths: number, channel: Channel, limited: number): TabularDevice {
  const forwardSeconds = 0.15 * Math.exp(0.5 * draw.normal());
  const backwardSeconds = 0.3 * Math.exp(0.5 * draw.normal());
  const weightsBytes = 5e8;
  const layerBytes = 8e7;
  const memoryBytes = Array.from({ length: depths }, (_, b) => weightsBytes + layerBytes * (b + 1));
  const held = draw.uniform() < limited ? 1 + draw.below(depths) : depths;
  // Power falls with distance to the 3.7th; Rayleigh fading makes its square exponential.
  const gain = (0.2 + 0.8 * Math.sqrt(draw.uniform())) ** -3.7 * -Math.log(1 - draw.uniform());
  const efficiency = Math.log2(1 + 3 * gain);
  return {
    id,
    computeSeconds: Array.from({ length: depths }, (_, b) => forwardSeconds * depths * 0.5 + backwardSeconds * (b + 1)),
    memoryBytes,
    memoryLimitBytes: memoryBytes[held - 1]! + layerBytes / 2,
    ...(channel === 'ofdma-power'
      ? { snrHz: 3e6 * gain }
      : { bitsPerSecondPerHz: channel === 'airtime' ? 1e6 * depths * efficiency : efficiency }),
  };
}
