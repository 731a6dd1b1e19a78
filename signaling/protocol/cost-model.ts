import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from './profile.ts';
import type { SessionSettings } from './settings.ts';

type Coefficients = Pick<Profile, 'overheadSeconds' | 'secondsPerSample' | 'memory'>;

/** Whether a pass down to `depth` runs its layers forward twice: only where not even one sample fits otherwise. */
export function recomputes(c: Coefficients, depth: number): boolean {
  const { memory: m } = c;
  return m.recompute !== undefined && depth > 0 && bytesOf(m, m, 1, depth) > m.limitBytes;
}

/** Seconds of forward over all layers and backward down to `depth` layers from the last one, for `samples` samples. */
export function computeSeconds(c: Coefficients, layers: number, samples: number, depth: number): number {
  const s = c.secondsPerSample;
  const forward = layers + (recomputes(c, depth) ? depth : 0);
  const perSample = s.embed + forward * s.forwardPerLayer + depth * s.backwardPerLayer + s.head;
  return c.overheadSeconds + samples * perSample;
}

/** Bytes of one micro-batch with `depth` layers kept for the backward pass, or their inputs where the device must recompute. */
export function memoryBytes(c: Coefficients, microBatch: number, depth: number): number {
  return bytesOf(c.memory, activations(c, depth), microBatch, depth);
}

/** The most samples, up to `samples`, whose pass down to `depth` fits the device's memory at once; 0 when not even one does. */
export function largestMicroBatch(c: Coefficients, samples: number, depth: number): number {
  const free = c.memory.limitBytes - memoryBytes(c, 0, depth);
  if (free < 0) return 0;
  const { transientPerSample, savedPerSamplePerLayer } = activations(c, depth);
  const perSample = transientPerSample + depth * savedPerSamplePerLayer;
  let microBatch = perSample > 0 ? Math.min(samples, Math.floor(free / perSample)) : samples;
  // The quotient may round up to a whole number.
  while (microBatch > 0 && memoryBytes(c, microBatch, depth) > c.memory.limitBytes) microBatch--;
  return microBatch;
}

type Activations = Pick<Profile['memory'], 'transientPerSample' | 'savedPerSamplePerLayer'>;

function activations(c: Coefficients, depth: number): Activations {
  return recomputes(c, depth) ? (c.memory.recompute ?? c.memory) : c.memory;
}

function bytesOf(m: Profile['memory'], a: Activations, microBatch: number, depth: number): number {
  return (
    m.weightsBytes +
    microBatch * (a.transientPerSample + depth * a.savedPerSamplePerLayer) +
    depth * m.gradientBytesPerLayer
  );
}

/** Less than any device takes for a layer of one sample: a profile that says less is taken to say this. */
const LEAST_LAYER_SECONDS = 1e-7;
/** Who states to be so many times quicker than anybody was seen to be is believed to be as many times slower, until its rounds were timed. */
const BOASTING = 2;

/** A profile whose times can be divided by. */
export function believable(profile: Profile): Profile {
  const { embed, forwardPerLayer, backwardPerLayer, head } = profile.secondsPerSample;
  if (forwardPerLayer >= LEAST_LAYER_SECONDS && backwardPerLayer >= LEAST_LAYER_SECONDS) return profile;
  return {
    ...profile,
    secondsPerSample: {
      embed,
      forwardPerLayer: Math.max(LEAST_LAYER_SECONDS, forwardPerLayer),
      backwardPerLayer: Math.max(LEAST_LAYER_SECONDS, backwardPerLayer),
      head,
    },
  };
}

/**
 * What is believed of a device that only stated its times: to be no quicker than the quickest of those that proved theirs, so that what it
 * stated gets it no large share; and less of one that boasts. Seconds as in the cost model; `layers` is the model's number of them.
 */
export function unproven(stated: Profile, layers: number, proven: readonly Profile[]): Profile {
  if (proven.length === 0) return stated;
  const whole = (profile: Profile): number => computeSeconds(profile, layers, 1, layers) - profile.overheadSeconds;
  const quickest = proven.reduce((a, b) => (whole(b) < whole(a) ? b : a));
  const factor = BOASTING * whole(stated) < whole(quickest) ? BOASTING : 1;
  const least = quickest.secondsPerSample;
  const own = stated.secondsPerSample;
  const floor = (key: keyof Profile['secondsPerSample']): number => Math.max(own[key], factor * least[key]);
  if (whole(stated) >= whole(quickest) && stated.overheadSeconds >= quickest.overheadSeconds) return stated;
  return {
    ...stated,
    overheadSeconds: Math.max(stated.overheadSeconds, quickest.overheadSeconds),
    secondsPerSample: {
      embed: floor('embed'),
      forwardPerLayer: floor('forwardPerLayer'),
      backwardPerLayer: floor('backwardPerLayer'),
      head: floor('head'),
    },
  };
}

/** The profile of a device that takes `factor` times as long. */
export function paced(profile: Profile, factor: number): Profile {
  const { overheadSeconds, secondsPerSample, parts } = profile;
  const times = ({ embed, forwardPerLayer, backwardPerLayer, head }: Profile['secondsPerSample']) => ({
    embed: embed * factor,
    forwardPerLayer: forwardPerLayer * factor,
    backwardPerLayer: backwardPerLayer * factor,
    head: head * factor,
  });
  return {
    ...profile,
    overheadSeconds: overheadSeconds * factor,
    secondsPerSample: times(secondsPerSample),
    ...(parts && { parts: { ...parts, fixedSeconds: times(parts.fixedSeconds) } }),
  };
}

/** What a device is supposed to be, as factors: 2 is twice as quick, twice the memory, twice the uplink. */
export interface Factors {
  readonly speed: number;
  readonly memory: number;
  readonly uplink: number;
}

/** The profile of a device that is so many times as quick, with so many times the memory and uplink; a host needs no uplink. */
export function supposedProfile(profile: Profile, { speed, memory, uplink }: Factors): Profile {
  const timed = speed === 1 ? profile : paced(profile, 1 / speed);
  const isLocal = profile.linkBitsPerSecond >= LOCAL_LINK_BITS_PER_SECOND;
  return {
    ...timed,
    memory: { ...timed.memory, limitBytes: timed.memory.limitBytes * memory },
    linkBitsPerSecond: isLocal ? profile.linkBitsPerSecond : profile.linkBitsPerSecond * uplink,
  };
}

/** What evaluations may take of the time of a session, beside what devices have left over. */
export const EVALUATION_SHARE = 0.1;

/** Seconds of a forward pass through the whole model, for each token: devices timed themselves at `roundTokens` tokens a sample. */
export function forwardSecondsPerToken(
  { secondsPerSample }: Pick<Profile, 'secondsPerSample'>,
  { shape, task }: Pick<SessionSettings, 'shape' | 'task'>,
): number {
  const { embed, forwardPerLayer, head } = secondsPerSample;
  return (embed + shape.layers * forwardPerLayer + head) / task.roundTokens;
}
