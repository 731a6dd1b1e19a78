import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { changedWorker, OneComputer } from '../../web/tab/show/changed-worker.ts';
import type { DeviceWorkerApi, Pretence } from '../../worker/api/device-api.ts';
import { pretended } from '../../worker/device/stated.ts';
import { profile } from '../protocol/samples.ts';

const { linkBitsPerSecond: _, ...MEASURED } = profile();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('one computer', () => {
  it('is measured once, when all have loaded, and everybody states that', async () => {
    const told: string[] = [];
    const computer = new OneComputer(2, () => told.push('measured'));
    let measures = 0;
    const measure = async () => {
      measures++;
      return MEASURED;
    };
    const both = Promise.all([computer.measured(measure), computer.measured(measure)]);
    computer.loaded();
    await vi.advanceTimersByTimeAsync(1000);
    expect(measures).toBe(0);
    computer.loaded();
    expect(await both).toEqual([MEASURED, MEASURED]);
    expect([measures, told]).toEqual([1, ['measured']]);
  });

  it('does not wait for ever for one that does not load, and is measured again where that failed', async () => {
    const computer = new OneComputer(2, () => undefined);
    const failing = computer.measured(() => Promise.reject(new Error('The engine stopped.')));
    const refused = expect(failing).rejects.toThrow('The engine stopped.');
    await vi.advanceTimersByTimeAsync(15_000);
    await refused;
    const again = computer.measured(async () => MEASURED);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await again).toBe(MEASURED);
  });

  it('that is known need not be measured', async () => {
    const computer = new OneComputer(0, () => undefined, MEASURED);
    expect(await computer.measured(() => Promise.reject(new Error('Nobody asked.')))).toBe(MEASURED);
  });
});

describe('a worker of the demonstration', () => {
  const gradient = () => ({ kind: 'gradient' as const, block: 'head' as const, gradient: Float32Array.of(1, -2) });
  const done = { kind: 'done' as const, lossSum: 1, computeSeconds: 1, forwardSeconds: 1 };

  it('turns its gradients around while it lies, and nothing else', async () => {
    let lies = false;
    const parts = [gradient(), gradient(), done];
    const api = { next: async () => parts.shift()!, cancel: async () => undefined } as Partial<DeviceWorkerApi>;
    const worker = { api: api as DeviceWorkerApi, terminate: () => undefined };
    const changed = changedWorker(worker, new OneComputer(1, () => undefined), () => lies);
    expect(await changed.api.next()).toEqual(gradient());
    lies = true;
    expect(await changed.api.next()).toEqual({ ...gradient(), gradient: Float32Array.of(-1, 2) });
    expect(await changed.api.next()).toEqual(done);
  });
});

describe('what a device is made out to be', () => {
  const honest: Pretence = { slowdown: 1, share: 1, memoryLimitBytes: Number.POSITIVE_INFINITY };

  it('is what it is where nothing is pretended', () => {
    expect(pretended(MEASURED, honest)).toEqual(MEASURED);
  });

  it('is slower by both factors, and claims no more than it is given', () => {
    const { secondsPerSample: before } = MEASURED;
    const slow = pretended(MEASURED, { slowdown: 4, share: 1.5, memoryLimitBytes: 1000 });
    expect(slow.overheadSeconds).toBeCloseTo(6 * MEASURED.overheadSeconds, 12);
    for (const unit of ['embed', 'forwardPerLayer', 'backwardPerLayer', 'head'] as const)
      expect(slow.secondsPerSample[unit]).toBeCloseTo(6 * before[unit], 12);
    expect(slow.flopsPerSecond).toBeCloseTo(MEASURED.flopsPerSecond / 6, 3);
    expect(slow.memory).toEqual({ ...MEASURED.memory, limitBytes: 1000 });
    // More than it has nobody gives it.
    expect(pretended(MEASURED, { ...honest, memoryLimitBytes: 1e15 }).memory).toEqual(MEASURED.memory);
  });
});
