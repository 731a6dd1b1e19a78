import type { Profile } from './profile.ts';

type Coefficients = Pick<Profile, 'overheadSeconds' | 'secondsPerSample' | 'memory'>;

/** Seconds of forward over all layers and backward down to `depth` layers from the last one, for `samples` samples. */
export function computeSeconds(c: Coefficients, layers: number, samples: number, depth: number): number {
  const s = c.secondsPerSample;
  const perSample = s.embed + layers * s.forwardPerLayer + depth * s.backwardPerLayer + s.head;
  return c.overheadSeconds + samples * perSample;
}

/** Bytes of one micro-batch with `depth` layers kept for the backward pass. */
export function memoryBytes(c: Coefficients, microBatch: number, depth: number): number {
  const m = c.memory;
  const perSample = m.transientPerSample + depth * m.savedPerSamplePerLayer;
  return m.weightsBytes + microBatch * perSample + depth * m.gradientBytesPerLayer;
}

/** The most samples, up to `samples`, whose pass down to `depth` fits the device's memory at once; 0 when not even one does. */
export function largestMicroBatch(c: Coefficients, samples: number, depth: number): number {
  const free = c.memory.limitBytes - memoryBytes(c, 0, depth);
  if (free < 0) return 0;
  const perSample = c.memory.transientPerSample + depth * c.memory.savedPerSamplePerLayer;
  let microBatch = perSample > 0 ? Math.min(samples, Math.floor(free / perSample)) : samples;
  // The quotient may round up to a whole number.
  while (microBatch > 0 && memoryBytes(c, microBatch, depth) > c.memory.limitBytes) microBatch--;
  return microBatch;
}
