import { expect, it } from 'vitest';
import type { Profile } from '../../signaling/protocol/profile.ts';
import { ownNumbers } from '../../web/page/report/own-numbers.ts';

const PROFILE: Profile = {
  engine: 'webgpu',
  backend: 'WebGPU, apple',
  overheadSeconds: 0.004,
  secondsPerSample: { embed: 0.00004, forwardPerLayer: 0.000314, backwardPerLayer: 0.00099, head: 0.012 },
  flopsPerSecond: 1.25e12,
  memoryBytesPerSecond: 8.1e10,
  memory: {
    limitBytes: 1.5e9,
    weightsBytes: 4.98e8,
    transientPerSample: 1,
    savedPerSamplePerLayer: 1,
    gradientBytesPerLayer: 1,
  },
  linkBitsPerSecond: 3.8e7,
};

it('a device’s numbers, each with its unit', () => {
  const gpu = { name: 'apple, metal-3', software: false, features: [], limits: {} };
  expect(Object.fromEntries(ownNumbers(PROFILE, gpu).map(({ what, value }) => [what, value]))).toEqual({
    'Graphics processor': 'apple, metal-3',
    'Computes on': 'WebGPU, apple',
    'Speed in training': '1.3 TFLOP/s',
    'Copies in memory': '81 GB/s',
    'One sample': 'a layer 0.31 ms forward and 0.99 ms backward, embeddings 0.04 ms, head 12 ms',
    'A pass besides': '4 ms',
    Memory: '1.5 GB at most, 498 MB are weights',
    'Link to the host': '38 Mbit/s',
  });
});

it('a host has no link to itself; what a browser does not name is said so', () => {
  const values = (...of: Parameters<typeof ownNumbers>) => ownNumbers(...of).map(({ value }) => value);
  expect(values({ ...PROFILE, linkBitsPerSecond: 1e12 }, null)).toContain('none needed: it is the host');
  expect(values(PROFILE, null)[0]).toBe('none that WebGPU gives');
  expect(values(PROFILE, undefined)[0]).toBe('…');
  expect(values(PROFILE, { name: '', software: true, features: [], limits: {} })[0]).toBe(
    'not named by the browser, in software',
  );
  expect(values({ ...PROFILE, downloadBitsPerSecond: 2e6 }, null).at(-1)).toBe('2.0 Mbit/s');
});
