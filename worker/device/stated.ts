import type { Profile } from '../../signaling/protocol/profile.ts';
import type { ModelShape } from '../../signaling/protocol/settings.ts';
import type { Pretence } from '../api/device-api.ts';
import type { Engine } from '../engine/engine.ts';
import { embeddingBytes, frozenBytes, layerBytes, type UnitStorage } from '../model/description.ts';
import { longestBlock, type ParameterLayout } from '../model/layout.ts';

type UnitSeconds = Profile['secondsPerSample'];
type Speed = Pick<Profile, 'overheadSeconds' | 'secondsPerSample' | 'flopsPerSecond' | 'memoryBytesPerSecond'> & {
  readonly fixedSeconds: UnitSeconds;
};

/** What a device that is `slowdown` times slower states: every second so many times longer, every rate so many times lower. */
export function slowed(speed: Speed, slowdown: number): Speed {
  const longer = ({ embed, forwardPerLayer, backwardPerLayer, head }: UnitSeconds): UnitSeconds => ({
    embed: embed * slowdown,
    forwardPerLayer: forwardPerLayer * slowdown,
    backwardPerLayer: backwardPerLayer * slowdown,
    head: head * slowdown,
  });
  return {
    overheadSeconds: speed.overheadSeconds * slowdown,
    secondsPerSample: longer(speed.secondsPerSample),
    fixedSeconds: longer(speed.fixedSeconds),
    flopsPerSecond: speed.flopsPerSecond / slowdown,
    memoryBytesPerSecond: speed.memoryBytesPerSecond / slowdown,
  };
}

/** What a device says of itself to the session; the rate of its link is not its own to say. */
export type Stated = Omit<Profile, 'linkBitsPerSecond'>;

/** What was measured honestly, as a device states it that is made slower, shares its processor, and claims no more than `memoryLimitBytes`. */
export function pretended(honest: Stated, { slowdown, share, memoryLimitBytes }: Pretence): Stated {
  const { overheadSeconds, secondsPerSample, flopsPerSecond, memoryBytesPerSecond, memory, parts } = honest;
  const fixedSeconds = parts?.fixedSeconds ?? secondsPerSample;
  const stated = slowed(
    { overheadSeconds, secondsPerSample, flopsPerSecond, memoryBytesPerSecond, fixedSeconds },
    slowdown * share,
  );
  const { fixedSeconds: longer, ...speed } = stated;
  return {
    ...honest,
    ...speed,
    memory: { ...memory, limitBytes: Math.min(memory.limitBytes, memoryLimitBytes) },
    ...(parts && { parts: { ...parts, fixedSeconds: longer } }),
  };
}

/** The cost model's bytes of samples of `tokens` tokens. The head's gradient is there at every depth, so it counts with the weights. */
export function memoryOf(
  engine: Pick<Engine, 'bytes' | 'recomputes' | 'layout'>,
  tokens: number,
  limitBytes: number,
): Profile['memory'] {
  const one = engine.bytes(1, tokens, { savedLayers: 1 });
  const none = engine.bytes(1, tokens, { savedLayers: 0 });
  const again = engine.recomputes ? engine.bytes(1, tokens, { savedLayers: 1, recompute: true }) : undefined;
  return {
    limitBytes,
    weightsBytes: none.weightsBytes + none.gradientBytes,
    transientPerSample: Math.max(one.transientBytes, none.transientBytes),
    savedPerSamplePerLayer: one.savedBytes,
    gradientBytesPerLayer: longestBlock(engine.layout) * Float32Array.BYTES_PER_ELEMENT,
    ...(again && {
      recompute: { transientPerSample: again.transientBytes, savedPerSamplePerLayer: again.savedBytes },
    }),
  };
}

export type UnitBytes = Omit<NonNullable<Profile['parts']>, 'fixedSeconds'>;

const F32 = Float32Array.BYTES_PER_ELEMENT;

/**
 * What a device holds for each unit of a model: the frozen tensors, and the trained values that belong to them. The head's gradient is
 * there whenever the head is, so it counts with it.
 */
export function unitBytes(shape: ModelShape, layout: ParameterLayout, storage: UnitStorage): UnitBytes {
  return {
    embeddingBytes: embeddingBytes(shape, storage.embeddings),
    layerBytes: layerBytes(shape, storage.layers) + F32 * longestBlock(layout),
    headBytes: 2 * F32 * layout.head.length,
  };
}

/**
 * Bytes of a whole model as this engine, which has a smaller one, would hold it: what it holds besides its own tensors (a copy of the
 * layer that runs, tables of constants), and the model's. The profile's `weightsBytes` less the units' is therefore what a device takes
 * whatever its run.
 */
export function weightsOf(
  engine: Pick<Engine, 'bytes' | 'layout' | 'shape'>,
  storage: UnitStorage,
  shape: ModelShape,
  layout: ParameterLayout,
): number {
  const { weightsBytes, gradientBytes } = engine.bytes(1, 1, { savedLayers: 0 });
  const own = frozenBytes(engine.shape, storage) + F32 * engine.layout.length;
  return weightsBytes + gradientBytes - own + frozenBytes(shape, storage) + F32 * layout.length;
}
