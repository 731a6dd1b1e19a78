import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { encodeUpload } from '../../signaling/protocol/exchange/upload-codec.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { order, SeatScene, settle, tag } from './seat-scene.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a seat', () => {
  it.each(['f16', 'int8'] as const)(
    'sends gradients as %s, rounded by seed, round, block and place in the round alone',
    async (uploads) => {
      const training = { ...SETTINGS.training, uploads };
      const scenes = [new SeatScene({ ...SETTINGS, training }), new SeatScene({ ...SETTINGS, training })];
      const heard: DataMessage[][] = [[], []];
      for (const [i, scene] of scenes.entries()) {
        scene.host.onMessage((message) => heard[i]!.push(message));
        // Under another number and epoch, with other orders before it.
        await scene.send(order(tag(1 + i, 1 + i), [5, 4], 42));
        scene.worker.gradient(5, 0.3);
        await settle();
        scene.worker.gradient(4, 0.3);
        await settle();
      }
      for (const [at, block] of [5, 4].entries()) {
        const key = { seed: 1, round: 1, block, position: 0 };
        const wanted = encodeUpload(Float32Array.of(0.3), uploads, key);
        for (const of of heard) expect(of[at]).toMatchObject({ header: { type: 'gradient', block }, tensors: wanted });
      }
    },
  );
});
