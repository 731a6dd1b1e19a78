import { describe, expect, it } from 'vitest';
import type { WorkOrder, WorkPart } from '../../worker/api/work.ts';
import { relativeError } from '../../worker/check/golden-check.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { persistentOrder } from '../../worker/device/giving-out.ts';
import { Flow, type FlowLimits, flowLimitsOf } from '../../worker/engine/webgpu/device/flow.ts';
import { Gpu } from '../../worker/engine/webgpu/device/gpu.ts';
import { openDevice } from '../../worker/engine/webgpu/device/open-device.ts';
import { createEngineOn, type WebGpuChoices } from '../../worker/engine/webgpu/engine.ts';
import { recovering } from '../../worker/engine/webgpu/recovery.ts';
import { runOrder } from '../../worker/learn/trainer.ts';
import { needs } from '../needs.ts';
import { dawn } from './dawn.ts';
import { GPU } from './gpu-need.ts';

const CHOICES: WebGpuChoices = {
  precision: 'f32',
  weights: 'f32',
  tile: { kind: 'subgroup', rows: 128, columns: 8, inner: 4, threadRows: 2, threadColumns: 8 },
  attentionThreads: 'sharing',
};
const DROPOUT = { probability: 0.25, seed: 11 };
const model = await randomModel({ layers: 3, samples: 5, lengths: [12, 3, 7, 9, 1], tokens: 12 });
const ORDER: WorkOrder = {
  round: 4,
  batch: model.batch,
  layers: [0, 1, 2],
  head: true,
  microBatch: 4,
  dropout: DROPOUT,
};

/** A device of which submissions are counted, and dispatches in each, and which throws once it is told to. */
function watched(device: GPUDevice) {
  const state = { throws: false, dispatches: 0, most: 0 };
  /** The same object, whose results and properties of some names are seen first. */
  const wrap = <T extends object>(target: T, see: Readonly<Record<string, (value: never) => unknown>>): T =>
    new Proxy(target, {
      get: (of, name) => {
        const seen = typeof name === 'string' ? see[name] : undefined;
        const value: unknown = Reflect.get(of, name, of);
        if (typeof value !== 'function') return seen === undefined ? value : Reflect.apply(seen, null, [value]);
        return (...args: unknown[]): unknown => {
          if (state.throws && name !== 'addEventListener') throw new Error('GPUDevice: the device is lost.');
          const result: unknown = Reflect.apply(value, of, args);
          return seen === undefined ? result : Reflect.apply(seen, null, [result]);
        };
      },
    });
  const dispatched = (): void => {
    state.most = Math.max(state.most, ++state.dispatches);
  };
  const pass = (made: GPUComputePassEncoder) => wrap(made, { dispatchWorkgroups: dispatched });
  const encoder = (made: GPUCommandEncoder) => wrap(made, { beginComputePass: pass });
  const submit = (): void => {
    state.dispatches = 0;
  };
  const queue = wrap(device.queue, { submit });
  return { state, device: wrap(device, { queue: () => queue, createCommandEncoder: encoder }) };
}

/** An engine on one device after the other, each of which the test can reach. */
async function engineOnDevices(limits: FlowLimits | null = null) {
  const devices: (ReturnType<typeof watched> & { readonly raw: GPUDevice })[] = [];
  const engine = await recovering(async () => {
    const { device } = await openDevice(dawn);
    const own = { ...watched(device), raw: device };
    devices.push(own);
    return createEngineOn(new Gpu(own.device, limits), 'Dawn', model, CHOICES);
  });
  await engine.setParameters(model.parameters);
  return { engine, devices };
}

type Made = Awaited<ReturnType<typeof engineOnDevices>>;

/** The order's parts; `strike` is called once the first of them has come. */
async function partsOf({ engine }: Made, strike: () => void) {
  const tooLarge: number[] = [];
  const parts: WorkPart[] = [];
  const run = (order: WorkOrder) => runOrder(engine, order, async () => undefined);
  for await (const part of persistentOrder(
    run,
    ORDER,
    engine,
    async ({ microBatch }) => void tooLarge.push(microBatch),
  )) {
    if (parts.push(part) === 1) strike();
  }
  return { parts, tooLarge };
}

describe('an order whose graphics device goes away on the way', needs(GPU), () => {
  it.each([
    ['is lost', ({ devices }: Made) => devices.at(-1)!.raw.destroy()],
    [
      'throws at once, and is lost',
      ({ devices }: Made) => {
        devices.at(-1)!.state.throws = true;
      },
    ],
  ])('comes to its end on another one, in smaller pieces, where it %s', async (_, strike) => {
    const alone = await engineOnDevices();
    const want = (await partsOf(alone, () => undefined)).parts;
    const made = await engineOnDevices();
    const { parts, tooLarge } = await partsOf(made, () => strike(made));
    expect(parts.map((part) => (part.kind === 'gradient' ? part.block : part.kind))).toEqual(['head', 2, 1, 0, 'done']);
    for (const [index, part] of parts.entries()) {
      const other = want[index]!;
      if (part.kind === 'gradient' && other.kind === 'gradient')
        expect(relativeError(part.gradient, other.gradient)).toBeLessThan(1e-5);
    }
    expect(made.devices).toHaveLength(2);
    expect(tooLarge).toEqual([4]);
    for (const { engine } of [alone, made]) await engine.dispose();
  });
});

describe('a device that takes little at a time', needs(GPU), () => {
  it('is given no more, and computes the same to the bit', async () => {
    const [free, spared] = [await engineOnDevices(), await engineOnDevices({ dispatches: 4, submissions: 2 })];
    const dropout = { ...DROPOUT, round: 4 };
    const want = await lossAndGradient(free.engine, model.batch, 3, dropout);
    const got = await lossAndGradient(spared.engine, model.batch, 3, dropout);
    expect(got).toEqual(want);
    expect(free.devices[0]!.state.most).toBeGreaterThan(4);
    expect(spared.devices[0]!.state.most).toBe(4);
    for (const { engine } of [free, spared]) await engine.dispose();
  });
});

it('lets two submissions be under way, and makes the third wait', async () => {
  const done: (() => void)[] = [];
  const flow = new Flow({ dispatches: 3, submissions: 2 }, () => new Promise<void>((resolve) => done.push(resolve)));
  expect([flow.dispatched(), flow.dispatched(), flow.dispatched()]).toEqual([false, false, true]);
  flow.submitted();
  expect([flow.dispatched(), flow.isFull]).toEqual([false, false]);
  flow.submitted();
  expect(flow.isFull).toBe(true);
  let waited = true;
  const room = flow.room().then(() => {
    waited = false;
  });
  await Promise.resolve();
  expect(waited).toBe(true);
  done[0]!();
  await room;
  expect(flow.isFull).toBe(false);
  const unlimited = new Flow(null, () => expect.unreachable());
  for (let i = 0; i < 100; i++) unlimited.submitted();
  expect([unlimited.dispatched(), unlimited.isFull]).toEqual([false, false]);
});

it('spares WebKit, and nobody else', () => {
  const iPhone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604.1';
  const chromeOnIos =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 CriOS/140.0 Mobile/15E148';
  const iPad = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15';
  const android = 'Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36';
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
  for (const spared of [iPhone, chromeOnIos, iPad])
    expect(flowLimitsOf(spared)).toEqual({ dispatches: 64, submissions: 2 });
  for (const other of [android, firefox, 'Node.js/24', '']) expect(flowLimitsOf(other)).toBeNull();
});
