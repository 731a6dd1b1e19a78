import type { SplitDevice, SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { drawsFrom } from '../algorithms/random.ts';

/** Milliseconds of a layer's forward pass for one sample are drawn between these, evenly on a logarithmic scale. */
export const REGIMES = { mixed: [3, 200], network: [1, 10], compute: [50, 500] } as const;
export type Regime = keyof typeof REGIMES;

export interface SplitShape {
  readonly devices: number;
  readonly layers: number;
  readonly samples: number;
  readonly regime: Regime;
  /** All, unless it is given. */
  readonly trainedLayers?: number;
}

/**
 * A random split room. Devices hold 0.25 to 0.9 of the model, differ by 2.5 each way in speed and send 20 to 200 Mbit/s; sizes are
 * roberta-large's at 128 tokens in f16, fixed costs of a pass a fifth of a sample's.
 */
export function generateSplitProblem(seed: number, shape: SplitShape): SplitProblem {
  const { devices, layers, samples, regime, trainedLayers = layers } = shape;
  const draws = drawsFrom(seed);
  const between = (low: number, high: number) => low * (high / low) ** draws.uniform();
  const [least, most] = REGIMES[regime];
  const layerSeconds = between(least, most) / 1000;
  const embeddingBytes = 1.04e8;
  const layerBytes = 2.52e7;
  const headBytes = 4.2e6;
  const modelBytes = embeddingBytes + layers * layerBytes + headBytes;
  return {
    split: {
      layers,
      samples,
      trainedLayers,
      hiddenBits: 128 * 1024 * 32,
      headCutBits: 1024 * 32,
      messageBits: 4096,
      layerUploadBits: 1048576,
      headUploadBits: 33_600_000,
      replayBytesPerSample: 524288,
    },
    devices: Array.from({ length: devices }, (_, k): SplitDevice => {
      const forward = layerSeconds * between(1 / 2.5, 2.5);
      const each = {
        embed: 0.05 * forward,
        forwardPerLayer: forward,
        backwardPerLayer: 2 * forward,
        head: 0.3 * forward,
      };
      return {
        id: `device-${k}`,
        fixedSeconds: {
          embed: 0.2 * each.embed,
          forwardPerLayer: 0.2 * each.forwardPerLayer,
          backwardPerLayer: 0.2 * each.backwardPerLayer,
          head: 0.2 * each.head,
        },
        secondsPerSample: each,
        memory: {
          limitBytes: Math.round(modelBytes * (0.25 + 0.65 * draws.uniform())),
          embeddingBytes,
          layerBytes,
          headBytes,
          transientPerSample: 6e6,
          savedPerSamplePerLayer: 7e6,
          gradientBytesPerLayer: 131072,
        },
        bitsPerSecond: between(2e7, 2e8),
        lagSeconds: 0.005,
      };
    }),
    host: 'device-0',
  };
}
