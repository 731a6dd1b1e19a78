import { expect, it } from 'vitest';
import type { MeasuredSpeed } from '../../worker/device/calibration.ts';
import { OwnMeasure } from '../../worker/device/own-measure.ts';
import { profile } from '../protocol/samples.ts';

const { linkBitsPerSecond: _, ...FIRST } = profile(50);
const HONEST = { slowdown: 1, share: 1, memoryLimitBytes: 1e12 };
const UNIT = { embed: 1, forwardPerLayer: 2, backwardPerLayer: 4, head: 8 };
const speed = { overheadSeconds: 16, secondsPerSample: UNIT, fixedSeconds: UNIT, flopsPerSecond: 32 };
const again = async (): Promise<MeasuredSpeed> => ({ speed, wasBusy: true });

it('states the seconds of the second measurement and the bytes of the first, as slow as the device is made', async () => {
  const own = new OwnMeasure();
  expect(await own.again()).toBeNull();
  own.take(FIRST, again);
  expect(own.stated(HONEST)).toEqual(FIRST);
  const { fixedSeconds: _fixed, ...fresh } = speed;
  expect(await own.again()).toEqual({ measured: { ...FIRST, ...fresh }, wasBusy: true });
  expect(own.stated({ ...HONEST, slowdown: 3 })).toMatchObject({
    overheadSeconds: 48,
    secondsPerSample: { embed: 3, forwardPerLayer: 6, backwardPerLayer: 12, head: 24 },
    memory: FIRST.memory,
  });
  expect((await own.again())?.measured.overheadSeconds).toBe(48);
});

it('keeps what single units take', async () => {
  const own = new OwnMeasure();
  const parts = { fixedSeconds: FIRST.secondsPerSample, embeddingBytes: 1, layerBytes: 2, headBytes: 3 };
  own.take({ ...FIRST, parts }, again);
  own.stated(HONEST);
  expect((await own.again())?.measured.parts).toEqual({ ...parts, fixedSeconds: UNIT });
});

it('does not measure where another device did, or where others use the same processor', async () => {
  const own = new OwnMeasure();
  own.take(FIRST, again);
  own.stated({ ...HONEST, share: 2 });
  expect(await own.again()).toBeNull();
  own.stated(HONEST);
  expect(await own.again()).not.toBeNull();
  own.stated({ ...HONEST, measured: FIRST });
  expect(await own.again()).toBeNull();
});

it('measures one at a time, and not at all once it is stopped', async () => {
  const own = new OwnMeasure();
  own.take(
    FIRST,
    ({ stop }) => new Promise((_resolve, reject) => stop.addEventListener('abort', () => reject(stop.reason))),
  );
  own.stated(HONEST);
  const first = own.again();
  expect(await own.again()).toBeNull();
  await own.stop();
  expect(await first).toBeNull();
  await own.stop();
  own.take(FIRST, () => Promise.reject(new Error('The GPU was lost.')));
  await expect(own.again()).rejects.toThrow('The GPU was lost.');
});
