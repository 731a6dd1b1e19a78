import { describe, expect, it } from 'vitest';
import { computeSeconds, largestMicroBatch, memoryBytes, recomputes } from '../../signaling/protocol/cost-model.ts';

/** Numbers that no two sums of have in common. */
const device = {
  overheadSeconds: 1000,
  secondsPerSample: { embed: 100, forwardPerLayer: 10, backwardPerLayer: 1, head: 0.5 },
  memory: {
    limitBytes: 10_000,
    weightsBytes: 5000,
    transientPerSample: 100,
    savedPerSamplePerLayer: 10,
    gradientBytesPerLayer: 1,
  },
};
const frugal = (limitBytes: number) => ({
  ...device,
  memory: { ...device.memory, limitBytes, recompute: { transientPerSample: 60, savedPerSamplePerLayer: 2 } },
});

describe('the cost of an order', () => {
  it('is the overhead, and for each sample embedding, all layers forward, the deepest ones backward, and the head', () => {
    expect(computeSeconds(device, 12, 3, 4)).toBe(1000 + 3 * (100 + 12 * 10 + 4 * 1 + 0.5));
    expect(computeSeconds(device, 12, 3, 0)).toBe(1000 + 3 * (100 + 12 * 10 + 0.5));
  });

  it('in memory is the weights, a sample’s passing and kept bytes, and a gradient for each layer', () => {
    expect(memoryBytes(device, 3, 4)).toBe(5000 + 3 * (100 + 4 * 10) + 4 * 1);
    expect(memoryBytes(device, 0, 4)).toBe(5004);
  });

  it('is a second forward pass through the layers that are trained where only so one sample fits', () => {
    // One sample at depth 4: 5000 + 100 + 40 + 4.
    expect([5143, 5144].map((limit) => recomputes(frugal(limit), 4))).toEqual([true, false]);
    expect(recomputes({ ...device, memory: { ...device.memory, limitBytes: 5143 } }, 4)).toBe(false);
    // Nothing is kept for the head alone, so nothing is saved by recomputing.
    expect(recomputes(frugal(5050), 0)).toBe(false);
    expect(computeSeconds(frugal(5143), 12, 3, 4)).toBe(1000 + 3 * (100 + (12 + 4) * 10 + 4 + 0.5));
    expect(memoryBytes(frugal(5143), 3, 4)).toBe(5000 + 3 * (60 + 4 * 2) + 4);
  });
});

describe('the largest micro-batch', () => {
  const at = (limitBytes: number, samples = 50) =>
    largestMicroBatch({ ...device, memory: { ...device.memory, limitBytes } }, samples, 4);

  it('fills the memory to the byte and no further', () => {
    // 5004 and 140 for each sample.
    expect([5003, 5004, 5143, 5144, 5423, 5424].map((limit) => at(limit))).toEqual([0, 0, 0, 1, 2, 3]);
    expect(at(1e9)).toBe(50);
    expect(at(1e9, 7)).toBe(7);
  });

  it('recomputes where not one sample fits otherwise', () => {
    // 5004 and 60 + 4 * 2 for each sample.
    expect([5071, 5072, 5143].map((limit) => largestMicroBatch(frugal(limit), 50, 4))).toEqual([0, 1, 2]);
    expect(largestMicroBatch(frugal(5144), 50, 4)).toBe(1);
  });

  it('is all samples where they take nothing', () => {
    const memory = { ...device.memory, transientPerSample: 0, savedPerSamplePerLayer: 0 };
    expect(largestMicroBatch({ ...device, memory }, 50, 4)).toBe(50);
  });
});
