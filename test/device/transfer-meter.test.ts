import { describe, expect, it } from 'vitest';
import { TransferMeter } from '../../worker/device/transfer-meter.ts';

describe('a transfer', () => {
  it('tells bytes, the rate of the last seconds and the time left', () => {
    const meter = new TransferMeter(1000, 100);
    expect(meter.at(100)).toEqual({ bytes: 0, totalBytes: 1000, bytesPerSecond: 0, secondsLeft: null });
    for (let second = 1; second <= 10; second++) meter.add(10, 100 + second);
    expect(meter.at(110)).toEqual({ bytes: 100, totalBytes: 1000, bytesPerSecond: 10, secondsLeft: 90 });
    // Ten times as fast from now on: after the window, the slow seconds are forgotten.
    for (let second = 1; second <= 5; second++) meter.add(100, 110 + second);
    expect(meter.at(115)).toEqual({ bytes: 600, totalBytes: 1000, bytesPerSecond: 100, secondsLeft: 4 });
  });

  it('slows down and stops with what arrives', () => {
    const meter = new TransferMeter(1000, 0);
    meter.add(400, 1);
    expect(meter.at(2).bytesPerSecond).toBe(200);
    expect(meter.at(4).bytesPerSecond).toBe(100);
    expect(meter.at(9)).toMatchObject({ bytesPerSecond: 0, secondsLeft: null });
  });

  it('has a rate as a whole: a million bytes at least, from the beginning to the last of them', () => {
    const meter = new TransferMeter(4e6, 10);
    meter.add(9e5, 11);
    expect(meter.bitsPerSecond).toBe(null);
    meter.add(1.1e6, 14);
    expect(meter.bitsPerSecond).toBe((8 * 2e6) / 4);
    meter.add(2e6, 20);
    expect(meter.bitsPerSecond).toBe((8 * 4e6) / 10);
    // The next engine reads it again, from the last byte of the one before on.
    meter.add(2e6, 21);
    expect(meter.bitsPerSecond).toBe(8 * 2e6);
  });

  it('ends, and begins again when the next engine reads the model', () => {
    const meter = new TransferMeter(1000, 0);
    meter.add(1000, 2);
    expect(meter.at(2)).toMatchObject({ bytes: 1000, secondsLeft: 0 });
    meter.add(300, 3);
    expect(meter.at(4)).toMatchObject({ bytes: 300, bytesPerSecond: 300 });
  });
});
