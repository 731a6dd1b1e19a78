import type { Profile } from './profile.ts';

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
