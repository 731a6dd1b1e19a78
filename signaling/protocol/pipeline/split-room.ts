import { deepestDepth, headParameterCount, layerParameterCount } from '../adapters.ts';
import { uploadBytes } from '../exchange/upload-codec.ts';
import { median } from '../median.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../profile.ts';
import type { SessionSettings } from '../settings.ts';
import type { SplitDevice, SplitModel } from './split-problem.ts';

/** A session and what its devices measured, in the words of the split planner. */

/** Header, slices and their checksums of a message of hidden states. */
const MESSAGE_BITS = 8 * 512;
/** Of a message between two devices that are not far from each other. */
export const LAG_SECONDS = 0.005;
/** Of the host's uplink where nobody else's link says what is usual. */
const USUAL_BITS_PER_SECOND = 1e8;

export type SplitSettings = Pick<SessionSettings, 'shape' | 'lora' | 'task' | 'training' | 'hiddenStates'>;

export function splitModelOf({ shape, lora, task, training, hiddenStates }: SplitSettings): SplitModel {
  const { layers, hiddenSize } = shape;
  const bits = hiddenStates === 'f16' ? 16 : 32;
  const bitsOf = (values: number): number => 8 * uploadBytes(values, training.uploads);
  return {
    layers,
    samples: training.samplesPerRound,
    trainedLayers: deepestDepth(lora, layers),
    hiddenBits: task.roundTokens * hiddenSize * bits,
    headCutBits: hiddenSize * bits,
    messageBits: MESSAGE_BITS,
    layerUploadBits: Array.from({ length: layers }, (_, layer) => bitsOf(layerParameterCount(shape, lora, layer))),
    headUploadBits: bitsOf(headParameterCount(shape, task.labelCount)),
    // Kept in f32 whatever travels, and as long as texts may be.
    replayBytesPerSample: training.maxTokens * hiddenSize * 4,
  };
}

/**
 * Null where the device did not say what single units cost. What it takes for the whole model beyond its units (an engine's copy of the
 * layer that runs, its constants) it takes whatever its run, so that much of its limit is not for units.
 */
export function splitDeviceOf(id: string, profile: Profile, bitsPerSecond: number, layers: number): SplitDevice | null {
  const { parts, secondsPerSample, memory } = profile;
  if (parts === undefined) return null;
  const { limitBytes, transientPerSample, savedPerSamplePerLayer, gradientBytesPerLayer } = memory;
  const { embeddingBytes, layerBytes, headBytes, fixedSeconds } = parts;
  const unitsBytes = embeddingBytes + layers * layerBytes + headBytes;
  const forUnits = Math.max(0, limitBytes - Math.max(0, memory.weightsBytes - unitsBytes));
  return {
    id,
    fixedSeconds,
    secondsPerSample,
    memory: {
      ...{ limitBytes: forUnits, embeddingBytes, layerBytes, headBytes },
      ...{ transientPerSample, savedPerSamplePerLayer, gradientBytesPerLayer },
    },
    bitsPerSecond,
    lagSeconds: LAG_SECONDS,
  };
}

/**
 * The devices of a room that can be stages. The host's gradients need no link, but its hidden states do: what it sends at is taken to be what
 * the others' links usually do.
 */
export function splitDevicesOf(
  devices: readonly { readonly id: string; readonly profile: Profile }[],
  layers: number,
): readonly SplitDevice[] {
  const rates = devices.flatMap(({ profile: { linkBitsPerSecond: rate } }) =>
    rate < LOCAL_LINK_BITS_PER_SECOND ? [rate] : [],
  );
  const usual = rates.length === 0 ? USUAL_BITS_PER_SECOND : median(rates);
  return devices.flatMap(({ id, profile }) => {
    const isHost = profile.linkBitsPerSecond >= LOCAL_LINK_BITS_PER_SECOND;
    const made = splitDeviceOf(id, profile, isHost ? usual : profile.linkBitsPerSecond, layers);
    return made === null ? [] : [made];
  });
}
