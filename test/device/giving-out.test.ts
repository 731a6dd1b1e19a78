import { describe, expect, it } from 'vitest';
import type { WorkOrder, WorkPart } from '../../worker/api/work.ts';
import { relativeError } from '../../worker/check/golden-check.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import {
  Claim,
  claimAfter,
  gaveOut,
  orderBytes,
  orderWithin,
  persistent,
  persistentOrder,
  smallerOrder,
} from '../../worker/device/giving-out.ts';
import { recallFact } from '../../worker/engine/machine-facts.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { WebGpuError } from '../../worker/engine/webgpu/device/open-device.ts';
import { runOrder } from '../../worker/learn/trainer.ts';

const model = await randomModel({ layers: 3, samples: 5, lengths: [12, 3, 7, 9, 1], tokens: 12 });
const engine = { ...(await createReferenceEngine(model)), computesPadding: false, recomputes: true };
await engine.setParameters(model.parameters);

const ORDER: WorkOrder = {
  round: 6,
  batch: model.batch,
  layers: [0, 1, 2],
  head: true,
  microBatch: 4,
  dropout: { probability: 0.2, seed: 8 },
};
const run = (order: WorkOrder) => runOrder(engine, order, async () => undefined);

async function partsOf(parts: AsyncGenerator<WorkPart, void, void>): Promise<WorkPart[]> {
  const out: WorkPart[] = [];
  for await (const part of parts) out.push(part);
  return out;
}

describe('an order on a device that gives out', () => {
  it.each([
    ['before anything of it came', 0],
    ['between two blocks', 2],
    ['before its end', 4],
  ])('gives each of its parts once, and the same gradient to rounding: %s', async (_, after) => {
    const want = await partsOf(run(ORDER));
    const tried: number[] = [];
    const failing = async function* (order: WorkOrder): AsyncGenerator<WorkPart, void, void> {
      tried.push(order.microBatch);
      let given = 0;
      for await (const part of run(order)) {
        if (tried.length === 1 && given++ === after) throw new WebGpuError('lost', 'The device was lost.');
        yield part;
      }
    };
    const large: number[] = [];
    const got = await partsOf(
      persistentOrder(failing, ORDER, engine, async ({ microBatch }) => void large.push(microBatch)),
    );
    expect(got.map((part) => (part.kind === 'gradient' ? part.block : part.kind))).toEqual(['head', 2, 1, 0, 'done']);
    for (const [index, part] of got.entries()) {
      const other = want[index]!;
      if (part.kind === 'gradient' && other.kind === 'gradient')
        expect(relativeError(part.gradient, other.gradient)).toBeLessThan(1e-6);
      if (part.kind === 'done' && other.kind === 'done') expect(part.lossSum).toBeCloseTo(other.lossSum, 6);
    }
    expect([tried, large]).toEqual([[4, 2], [4]]);
  });

  it('is begun anew ever smaller, four times and no more: then it fails with what the device said', async () => {
    const tried: unknown[] = [];
    // biome-ignore lint/correctness/useYield: it fails before anything comes of it.
    const hopeless = async function* ({ microBatch, recompute }: WorkOrder): AsyncGenerator<WorkPart, void, void> {
      tried.push([microBatch, recompute ?? false]);
      throw new WebGpuError('out-of-memory', 'There is too little.');
    };
    let told = 0;
    const parts = persistentOrder(hopeless, ORDER, engine, async () => void told++);
    await expect(partsOf(parts)).rejects.toThrow('There is too little.');
    expect(tried).toEqual([
      [4, false],
      [2, false],
      [1, false],
      [1, true],
      [1, true],
    ]);
    expect(told).toBe(5);
  });

  it('is not begun anew for what smaller work would not mend', async () => {
    // biome-ignore lint/correctness/useYield: it fails before anything comes of it.
    const wrong = async function* (): AsyncGenerator<WorkPart, void, void> {
      throw new RangeError('Positions are not finite.');
    };
    const parts = persistentOrder(wrong, ORDER, engine, async () => expect.unreachable());
    await expect(partsOf(parts)).rejects.toThrow('Positions are not finite.');
  });

  it('of a plan from before is cut to what is left', () => {
    const sizes = { ...ORDER, microBatchSizes: [4, 1] };
    expect(orderWithin(engine, sizes, Number.POSITIVE_INFINITY)).toBe(sizes);
    const two = orderBytes(engine, { ...ORDER, microBatch: 2 });
    expect(orderWithin(engine, sizes, two)).toEqual({ ...ORDER, microBatch: 2 });
    expect(orderWithin(engine, sizes, two - 1).microBatch).toBe(1);
    // As small as it becomes; the device may still have the memory.
    expect(orderWithin(engine, sizes, 0)).toEqual({ ...ORDER, microBatch: 1, recompute: true });
    expect(smallerOrder({ recomputes: false }, { ...ORDER, microBatch: 1 })).toEqual({ ...ORDER, microBatch: 1 });
  });
});

it('tells want of memory from everything else', () => {
  expect(gaveOut(new WebGpuError('lost', ''))).toBe(true);
  expect(gaveOut(new WebGpuError('too-large', ''))).toBe(true);
  expect(gaveOut(new WebGpuError('unavailable', ''))).toBe(false);
  expect(gaveOut(new RangeError('Array buffer allocation failed'))).toBe(true);
  expect(gaveOut(new Error('std::bad_alloc'))).toBe(true);
  expect(gaveOut(new Error('The order was given up.'))).toBe(false);
  expect(gaveOut('out of memory')).toBe(false);
});

it('evaluates half as many samples at a time where as many were too much', async () => {
  const told: number[] = [];
  const logits = await persistent(
    async (atOnce) => {
      if (atOnce > 5) throw new WebGpuError('out-of-memory', 'Too little.');
      return atOnce;
    },
    32,
    async (atOnce) => void told.push(atOnce),
  );
  expect([logits, told]).toEqual([4, [32, 16, 8]]);
});

describe('the claim of a device that gave out', () => {
  it('is its weights and half of what came beside them, each time anew', async () => {
    const { weightsBytes } = engine.bytes(1, 1, { savedLayers: 0 });
    expect(claimAfter(1000, 400)).toBe(700);
    expect(claimAfter(300, 400)).toBe(400);
    const claim = new Claim();
    expect(claim.limitBytes).toBe(Number.POSITIVE_INFINITY);
    claim.probedBytes = weightsBytes + 8000;
    expect(claim.isNews).toBe(false);
    // An order that took less than what the device might claim.
    await claim.gaveOut(engine, weightsBytes + 4000);
    expect(claim.limitBytes).toBe(weightsBytes + 2000);
    await claim.gaveOut(engine);
    expect(claim.limitBytes).toBe(weightsBytes + 1000);
    expect([claim.takeNews(), claim.takeNews()]).toEqual([true, false]);
    // The next session on this machine begins there.
    expect(await recallFact(`memory probe/${engine.backend}`)).toEqual({
      limitBytes: weightsBytes + 1000,
      underWay: false,
    });
  });
});
