import type { UnitRun } from '../split.ts';

/**
 * What planning a split room needs to know, in the words of `split.ts`: the model as units, and what each device needs for them. Files of
 * `tabloom plan --policy split` have this form, rooms are brought into it.
 */

/** Seconds of a pass by unit: `embed` of the embeddings, the two of one layer, `head` of the head forward and backward together. */
export interface UnitSeconds {
  readonly embed: number;
  readonly forwardPerLayer: number;
  readonly backwardPerLayer: number;
  readonly head: number;
}

export interface SplitDevice {
  readonly id: string;
  /** Of each pass, however many samples are in it. */
  readonly fixedSeconds: UnitSeconds;
  readonly secondsPerSample: UnitSeconds;
  readonly memory: {
    readonly limitBytes: number;
    /** Of the frozen weights. */
    readonly embeddingBytes: number;
    readonly layerBytes: number;
    readonly headBytes: number;
    readonly transientPerSample: number;
    readonly savedPerSamplePerLayer: number;
    readonly gradientBytesPerLayer: number;
  };
  /** Of its uplink, which carries one message at a time. */
  readonly bitsPerSecond: number;
  /** Added to every arrival; holds nothing up behind it. */
  readonly lagSeconds: number;
  /** What it must fetch before it can begin, in rooms: everything that it does not hold, at this rate. */
  readonly loading?: { readonly holds: UnitRun | null; readonly bitsPerSecond: number } | undefined;
}

export interface SplitModel {
  /** L. */
  readonly layers: number;
  /** D, samples in a round. */
  readonly samples: number;
  /** d, counted from the head: the backward pass goes so many layers down. */
  readonly trainedLayers: number;
  /** Bits of one sample's hidden states at a cut between layers. */
  readonly hiddenBits: number;
  /** The same before the head, which reads one token. */
  readonly headCutBits: number;
  /** What a message of hidden states weighs beside them. */
  readonly messageBits: number;
  /** Of a trained layer's gradient; or of every layer's, counted from the embeddings, 0 where nobody trains it. */
  readonly layerUploadBits: number | readonly number[];
  readonly headUploadBits: number;
  /** Of one sample's input that a stage keeps for the round, so that its work can be done again. */
  readonly replayBytesPerSample: number;
}

/** Ids of two devices, in any order. */
export type RelayedPair = readonly [string, string];

export interface SplitProblem {
  readonly split: SplitModel;
  readonly devices: readonly SplitDevice[];
  /** The device whose gradients need no link; none where the host takes no part. */
  readonly host?: string | undefined;
  /** Rooms: all send over one medium, of which each has a part in proportion to the airtime that its bits take. */
  readonly shared?: boolean | undefined;
  /** At most so many pipelines, each with the whole model and a part of the samples; one where it is not said. */
  readonly pipelines?: number | undefined;
  /** Rooms: so many rounds are left to make up for what is fetched first; what is fetched counts nothing where it is not said. */
  readonly rounds?: number | undefined;
  /** Pairs of devices that cannot meet: what one sends the other goes by way of the host. */
  readonly relayed?: readonly RelayedPair[] | undefined;
}
