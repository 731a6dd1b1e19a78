import type { Profile } from '../../signaling/protocol/profile.ts';
import type { Engine } from '../engine/engine.ts';
import { longestBlock } from '../model/layout.ts';

type Speed = Pick<Profile, 'overheadSeconds' | 'secondsPerSample' | 'flopsPerSecond' | 'memoryBytesPerSecond'>;

/** What a device that is `slowdown` times slower states: every second so many times longer, every rate so many times lower. */
export function slowed(speed: Speed, slowdown: number): Speed {
  const { embed, forwardPerLayer, backwardPerLayer, head } = speed.secondsPerSample;
  return {
    overheadSeconds: speed.overheadSeconds * slowdown,
    secondsPerSample: {
      embed: embed * slowdown,
      forwardPerLayer: forwardPerLayer * slowdown,
      backwardPerLayer: backwardPerLayer * slowdown,
      head: head * slowdown,
    },
    flopsPerSecond: speed.flopsPerSecond / slowdown,
    memoryBytesPerSecond: speed.memoryBytesPerSecond / slowdown,
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
