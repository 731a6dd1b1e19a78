/**
 * The planner's input, in the two forms that files, the server and the page's what-if panel all use.
 * Depth 1 is the layer (or block) nearest the loss; arrays "per depth" have index 0 for depth 1.
 */

/** `airtime`: shares of one channel, W = 1. `ofdma`: hertz at fixed bit/s/Hz. `ofdma-power`: hertz, log2(1 + P h / (N0 W)). */
export type Channel = 'ofdma' | 'ofdma-power' | 'airtime';

/** How fast a device's uplink is, in the form its channel needs. */
export interface LinkCoefficients {
  /** `ofdma`: r_k in bit/s/Hz. `airtime`: c_k in bit/s for that device alone. */
  readonly bitsPerSecondPerHz?: number;
  /** `ofdma-power`: P_k h_k / N0 in hertz; the rate over W hertz is W * log2(1 + snrHz / W). */
  readonly snrHz?: number;
}

export interface TabularDevice extends LinkCoefficients {
  readonly id: string;
  /** Per depth: seconds of forward and backward down to that block. */
  readonly computeSeconds: readonly number[];
  /** Per depth; `Infinity` never appears in files, a device that cannot hold a depth has memory above its limit. */
  readonly memoryBytes: readonly number[];
  readonly memoryLimitBytes: number;
}

/** One block per device; index 0 of `blocks` is depth 1. */
export interface TabularProblem {
  readonly blocks: readonly { readonly uploadBits: number }[];
  readonly devices: readonly TabularDevice[];
  readonly bandwidthHz: number;
  readonly channel?: Channel;
}

export interface DetailedDevice extends LinkCoefficients {
  readonly id: string;
  readonly overheadSeconds: number;
  readonly secondsPerSample: {
    readonly embed: number;
    readonly forwardPerLayer: number;
    readonly backwardPerLayer: number;
    readonly head: number;
  };
  readonly memory: {
    readonly limitBytes: number;
    readonly weightsBytes: number;
    readonly transientPerSample: number;
    readonly savedPerSamplePerLayer: number;
    readonly gradientBytesPerLayer: number;
    /** In the places of the same names where the device recomputes: see signaling/protocol/profile.ts. */
    readonly recompute?: { readonly transientPerSample: number; readonly savedPerSamplePerLayer: number } | undefined;
  };
}

/** Cost coefficients from which the planner groups layers, splits samples and picks micro-batches itself. */
export interface DetailedProblem {
  readonly model: {
    readonly layers: number;
    /** Samples in a round, D. */
    readonly samples: number;
    readonly head: { readonly uploadBits: number };
    /** Of every layer's adapters; or for each depth, null where the layer has none: it is passed through, and nobody trains it. */
    readonly layerUploadBits: number | readonly (number | null)[];
  };
  readonly devices: readonly DetailedDevice[];
  readonly bandwidthHz: number;
  readonly channel?: Channel;
  /** The device that `offload` uses (the host); the first device when absent. */
  readonly host?: string;
}
