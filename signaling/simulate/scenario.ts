import type { Channel } from '../planner/problem/problem.ts';
import type { GlueTask } from './glue-lengths.ts';
import type { Adapted, EncoderName } from './model-costs.ts';

/**
 * What a simulated fleet and its work are drawn from. All figures are ours, chosen to be plausible for phones and laptops in one cell.
 * A spread s draws log-uniformly between centre / s and centre * s; 1 makes all devices alike.
 */
export interface Scenario {
  readonly model: EncoderName;
  readonly task: GlueTask;
  /** D, samples in a round. */
  readonly samples: number;
  readonly rank: number;
  readonly adapted: Adapted;
  /** Whether the classification head's gradient is uploaded too; otherwise the blocks are the encoder's layers alone. */
  readonly head: boolean;
  /** Equal runs of neighbouring layers that can be given out; the number of layers, unless it is what varies. */
  readonly blocks: number;
  readonly devices: number;
  readonly bandwidthHz: number;
  readonly channel: Channel;
  /** FLOP/s that a device achieves in training. */
  readonly computeFlops: number;
  readonly computeSpread: number;
  /**
   * What `offload` means: a server so many times as fast as `computeFlops`, which holds the model and has nothing to send; or, where null,
   * the fleet's first device, drawn like the others, with its own link.
   */
  readonly serverSpeed: number | null;
  /** What a tab can use. */
  readonly memoryBytes: number;
  readonly memorySpread: number;
  readonly powerDbm: number;
  /** Devices are spread evenly over a disc around the base station. */
  readonly radiusMeters: number;
}

const COMMON: Scenario = {
  model: 'roberta-base',
  task: 'sst2',
  samples: 32,
  rank: 8,
  adapted: 'query+value',
  head: false,
  blocks: 12,
  devices: 16,
  bandwidthHz: 10e6,
  channel: 'ofdma',
  computeFlops: 400e9,
  computeSpread: 4,
  serverSpeed: null,
  memoryBytes: 2e9,
  memorySpread: 2,
  powerDbm: 23,
  radiusMeters: 250,
};

/** Regimes in which the policies differ; every field can be overridden on the command line. */
export const SCENARIOS = {
  /** Small adapters over a shared band: compute and upload weigh about the same. */
  base: COMMON,
  /** Twice as many layers, a third larger each. */
  large: { ...COMMON, model: 'roberta-large', blocks: 24, devices: 32 },
  /** The head's gradient, twice as large as all adapters together, goes over the same band. */
  'upload-bound': { ...COMMON, head: true },
  /** Large adapters from a wide cell: more bandwidth than any single device has power for. */
  'power-limited': {
    ...COMMON,
    rank: 64,
    adapted: 'all',
    bandwidthHz: 100e6,
    channel: 'ofdma-power',
    radiusMeters: 1000,
  },
  /** One device in nine holds the whole model's backward pass, one in six not even the weights. */
  'memory-bound': {
    ...COMMON,
    model: 'roberta-large',
    blocks: 24,
    devices: 32,
    task: 'rte',
    channel: 'ofdma-power',
    radiusMeters: 500,
    memoryBytes: 0.8e9,
    memorySpread: 1.15,
  },
  /** Nobody holds the model: a tab may use from a tenth to a half of what RoBERTa-large's weights take. Offload means a server that does. */
  'none-holds': {
    ...COMMON,
    model: 'roberta-large',
    blocks: 24,
    devices: 32,
    head: true,
    channel: 'airtime',
    bandwidthHz: 40e6,
    radiusMeters: 50,
    serverSpeed: 1,
    // Of the weights, 716 MB in f16: from a tenth to a half.
    memoryBytes: 0.16e9,
    memorySpread: 2.236,
  },
  /** A band that hardly limits anybody, and devices a thousand times apart in speed. */
  'one-strong': { ...COMMON, computeSpread: 32, bandwidthHz: 80e6 },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
