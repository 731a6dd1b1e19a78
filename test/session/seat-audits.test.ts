import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { order, SeatScene, settle, tag } from './seat-scene.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Two samples of round 3. */
const audit: DataMessage<'audit'> = {
  header: {
    ...{ type: 'audit', tag: { term: 1, audit: 1 }, round: 3, layers: [5], head: false, microBatch: 2 },
    ...{ recompute: false, tokens: 1, samples: { start: 0, count: 2 }, dropout: { probability: 0, seed: 1 } },
  },
  tensors: [Int32Array.of(5, 6), Int32Array.of(1, 1), Float32Array.of(0, 1), Int32Array.of(0, 1), Float32Array.of(30)],
};

describe('an audit at a seat', () => {
  it('makes an order wait for a slice, and goes on after it', async () => {
    const scene = new SeatScene();
    const audited: unknown[] = [];
    scene.host.onMessage((message) => {
      if (message.header.type === 'audited') audited.push(message.header.lossSum, message.tensors);
    });
    // A second for a sample: a slice is one.
    await scene.send(order(tag(1), [5], 42));
    scene.worker.done();
    await settle();
    await scene.send(audit);
    await scene.send(order(tag(2), [4]));
    const slice = async (value: number): Promise<void> => {
      scene.worker.gradient(5, value);
      await settle();
      scene.worker.done();
      await settle();
    };
    await slice(2);
    expect(scene.worker.did.slice(2)).toEqual(['parameters 30', 'begin 3 [5]', 'parameters 42', 'begin 1 [4]']);
    expect(audited).toEqual([]);
    scene.worker.done();
    await settle();
    expect(scene.worker.did.slice(6)).toEqual(['parameters 30', 'begin 3 [5]']);
    await slice(5);
    // Not of the head: no loss. Both slices' gradients.
    expect(audited).toEqual([null, [Float32Array.of(7)]]);
  });

  it('that was begun over a link that is gone is not gone on with', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42));
    scene.worker.done();
    await settle();
    await scene.send(audit);
    scene.link();
    await settle();
    expect(scene.worker.did.slice(2)).toEqual(['parameters 30', 'begin 3 [5]', 'cancel']);
    await scene.send(order(tag(1), [3], 43));
    expect(scene.worker.did.at(-1)).toBe('begin 1 [3]');
  });
});
