import { expect, test } from 'vitest';
import { generateFleet, generateProblem } from '../../signaling/planner/problem/generator.ts';

// Computed from the generator's description with Python, which has another random source's code and another library of functions.

const near = (value: number) => expect.closeTo(value, Math.max(0, 12 - Math.ceil(Math.log10(Math.abs(value) + 1))));

test('the published problems: seed 1, three devices, three depths, half of them short of memory', () => {
  const options = { devices: 3, depths: 3, limited: 0.5 };
  const { blocks, devices, ...rest } = generateProblem(1, options);
  expect(blocks).toEqual([{ uploadBits: 4e6 }, { uploadBits: 4e6 }, { uploadBits: 4e6 }]);
  expect(rest).toEqual({ bandwidthHz: 3e6, channel: 'ofdma' });
  expect(devices.map(({ computeSeconds }) => computeSeconds)).toEqual([
    [near(1.005037027004692), near(1.5559956898567124), near(2.1069543527087324)],
    [near(0.17337295081982224), near(0.23650055895118594), near(0.2996281670825497)],
    [near(0.4274431739430067), near(0.6863582204483473), near(0.9452732669536879)],
  ]);
  for (const { memoryBytes } of devices) expect(memoryBytes).toEqual([5.8e8, 6.6e8, 7.4e8]);
  // The second holds one depth: half a layer is spare.
  expect(devices.map(({ memoryLimitBytes }) => memoryLimitBytes)).toEqual([7.8e8, 6.2e8, 7.8e8]);
  const links = [4.111392704256432, 2.020083773697012, 2.1886245689211354];
  expect(devices.map(({ bitsPerSecondPerHz }) => bitsPerSecondPerHz)).toEqual(links.map(near));
  expect(devices.map(({ id }) => id)).toEqual(['device-0', 'device-1', 'device-2']);
});

test('their other channels: shares of one airtime, and powers', () => {
  const airtime = generateProblem(1, { devices: 2, depths: 3, limited: 0.5, channel: 'airtime' });
  expect(airtime.bandwidthHz).toBe(1);
  expect(airtime.devices[0]!.bitsPerSecondPerHz! / 12334178.112769296).toBeCloseTo(1, 12);
  const power = generateProblem(1, { devices: 2, depths: 3, limited: 0.5, channel: 'ofdma-power' });
  expect(power.bandwidthHz).toBe(3e6);
  expect(power.devices[1]!.snrHz! / 3056073.4383740877).toBeCloseTo(1, 12);
  expect(power.devices[1]).not.toHaveProperty('bitsPerSecondPerHz');
});

test('three in ten are short of memory unless something else is said', () => {
  const { devices } = generateProblem(5, { devices: 2000, depths: 4 });
  // Of those short, one in four holds every depth all the same.
  const short = devices.filter(({ memoryBytes, memoryLimitBytes }) => memoryBytes[3]! > memoryLimitBytes).length;
  expect(Math.abs(short / 2000 - 0.3 * 0.75)).toBeLessThan(0.04);
});

test('the published fleets: seed 1, six layers, eight samples', () => {
  const options = { devices: 2, layers: 6, samples: 8, limited: 0.5 };
  const { model, devices, ...rest } = generateFleet(1, options);
  expect(model).toEqual({ layers: 6, samples: 8, head: { uploadBits: 2e6 }, layerUploadBits: 4e6 });
  // 24 Mbit at 3 bit/s/Hz in three tenths of 8 * 6 * 30 ms.
  expect(rest).toEqual({ bandwidthHz: near(24e6 / (3 * 0.3 * 1.44)), channel: 'ofdma', host: 'device-0' });
  const [first, second] = devices;
  expect(first!.secondsPerSample).toEqual({
    embed: near(0.002322404954429685),
    forwardPerLayer: near(0.022646527454045585),
    backwardPerLayer: near(0.06369927079442828),
    head: near(0.00464480990885937),
  });
  expect(devices.map(({ overheadSeconds }) => overheadSeconds)).toEqual([
    near(0.008095780885219573),
    near(0.0019402526423335075),
  ]);
  expect(first!.bitsPerSecondPerHz).toEqual(near(3.5433694593224874));
  expect(first!.memory).toEqual({
    weightsBytes: 2.5e8,
    transientPerSample: 4e6,
    savedPerSamplePerLayer: 3e6,
    gradientBytesPerLayer: 1e5,
    limitBytes: expect.closeTo(283635422.5433618, 5),
  });
  // Holds one layer.
  expect(second!.memory.limitBytes).toBeCloseTo(259109594.1999182, 5);
});

test('their other channels, and a host whose own uploads are free', () => {
  const options = { devices: 2, layers: 6, samples: 8, limited: 0.5 };
  const airtime = generateFleet(1, { ...options, channel: 'airtime', freeHost: true });
  expect(airtime.bandwidthHz).toBe(1);
  expect(airtime.devices[0]!.bitsPerSecondPerHz).toBe(1e12);
  expect(airtime.devices[1]!.bitsPerSecondPerHz! / 85531573.35421859).toBeCloseTo(1, 12);
  const power = generateFleet(1, { ...options, channel: 'ofdma-power' });
  expect(power.devices[0]!.snrHz! / 197388486.53727).toBeCloseTo(1, 12);
  // Twice as long to send is half the band.
  const slow = generateFleet(1, { ...options, uploadWeight: 0.6 });
  expect(slow.bandwidthHz / generateFleet(1, options).bandwidthHz).toBeCloseTo(0.5, 12);
});
