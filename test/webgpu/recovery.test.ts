import { describe, expect, it } from 'vitest';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { type FailingEngine, recovering } from '../../worker/engine/webgpu/recovery.ts';

/** The reference engine on devices that fail when they are told to. */
async function failingDevices() {
  const model = await randomModel({ layers: 1 });
  const devices: { failure: Error | null; disposed: boolean }[] = [];
  const engine = await recovering(async (): Promise<FailingEngine> => {
    const device: (typeof devices)[number] = { failure: null, disposed: false };
    devices.push(device);
    const made = await createReferenceEngine(model);
    const dispose = async () => {
      device.disposed = true;
    };
    return { ...made, gpu: device, dispose };
  });
  await engine.setParameters(model.parameters);
  return {
    engine,
    devices,
    loss: async () => (await lossAndGradient(engine, model.batch)).lossSum,
    fail: () => {
      devices.at(-1)!.failure = new Error(`Device ${devices.length} was lost.`);
    },
  };
}

describe('an engine whose device fails', () => {
  it('goes on with another one and the same parameters, three times and no more', async () => {
    const { devices, loss, fail } = await failingDevices();
    const want = await loss();
    for (const opened of [2, 3, 4]) {
      fail();
      expect(await loss()).toBe(want);
      expect(devices).toHaveLength(opened);
      expect(devices.map(({ disposed }) => disposed)).toEqual([...Array(opened - 1).fill(true), false]);
    }
    fail();
    await expect(loss()).rejects.toThrow('Device 4 was lost.');
    // It stays so: no fifth device is ever opened.
    await expect(loss()).rejects.toThrow('Device 4 was lost.');
    expect(devices).toHaveLength(4);
  });

  it('takes parameters on the new device that were set after the failure', async () => {
    const { engine, devices, loss, fail } = await failingDevices();
    fail();
    await engine.setParameters(new Float32Array(engine.layout.length));
    expect(devices).toHaveLength(2);
    // A head of zeros knows nothing: ln 2 for each of the three samples.
    expect(await loss()).toBeCloseTo(3 * Math.LN2, 6);
  });

  it('opens none once it is closed', async () => {
    const { engine, devices, fail } = await failingDevices();
    fail();
    await engine.dispose();
    await engine.setParameters(new Float32Array(engine.layout.length));
    expect(devices).toHaveLength(1);
  });
});
