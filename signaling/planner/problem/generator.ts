import { drawsFrom, type RandomSource } from '../algorithms/random.ts';
import type { Channel, DetailedProblem, TabularDevice, TabularProblem } from './problem.ts';

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

function device(draw: RandomSource, id: string, depths: number, channel: Channel, limited: number): TabularDevice {
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

export interface FleetGeneratorOptions {
  readonly devices: number;
  readonly layers: number;
  readonly samples: number;
  readonly channel?: Channel;
  /** Seconds to upload the whole model over the whole bandwidth by what a round takes a typical device alone. */
  readonly uploadWeight?: number;
  /** Part of the devices whose memory can not hold every depth. */
  readonly limited?: number;
  /** Whether the first device is the host of a room, whose own uploads are free. */
  readonly freeHost?: boolean;
}

/** The detailed form's counterpart of `generateProblem`. */
export function generateFleet(seed: number, options: FleetGeneratorOptions): DetailedProblem {
  const { devices, layers, samples, channel = 'ofdma', uploadWeight = 0.3, limited = 0.3, freeHost = false } = options;
  const draw = drawsFrom(seed);
  const layerUploadBits = 4e6;
  // A typical device: 10 ms a sample and layer forward, 20 ms backward, 3 bit/s/Hz.
  const aloneSeconds = samples * layers * 0.03;
  const wholeHz = (layers * layerUploadBits) / (3 * uploadWeight * aloneSeconds);
  const bandwidthHz = channel === 'airtime' ? 1 : wholeHz;
  return {
    model: { layers, samples, head: { uploadBits: 2e6 }, layerUploadBits },
    devices: Array.from({ length: devices }, (_, k) => {
      const speed = Math.exp(0.6 * draw.normal());
      const held = draw.uniform() < limited ? draw.below(layers) : layers;
      const gain = (0.2 + 0.8 * Math.sqrt(draw.uniform())) ** -3.7 * -Math.log(1 - draw.uniform());
      const efficiency = Math.log2(1 + 3 * gain);
      const memory = {
        weightsBytes: 2.5e8,
        transientPerSample: 4e6,
        savedPerSamplePerLayer: 3e6,
        gradientBytesPerLayer: 1e5,
      };
      return {
        id: `device-${k}`,
        overheadSeconds: 0.02 * draw.uniform() * aloneSeconds,
        secondsPerSample: {
          embed: 0.001 * speed,
          forwardPerLayer: 0.01 * speed * Math.exp(0.1 * draw.normal()),
          backwardPerLayer: 0.02 * speed * Math.exp(0.3 * draw.normal()),
          head: 0.002 * speed,
        },
        memory: { ...memory, limitBytes: 2.5e8 + 4e6 + 1.05 * held * 3.1e6 + 1e6 + 2e7 * draw.uniform() },
        ...(channel === 'ofdma-power'
          ? { snrHz: wholeHz * 3 * gain }
          : { bitsPerSecondPerHz: freeHost && k === 0 ? 1e12 : (wholeHz / bandwidthHz) * efficiency }),
      };
    }),
    bandwidthHz,
    channel,
    host: 'device-0',
  };
}
