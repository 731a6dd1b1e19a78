import { expect, it } from 'vitest';
import { byteCount } from '../../signaling/cli/command-line.ts';

const read = (text: string): number => byteCount('memory', text, 1e6, 1e12);

it.each<[string, number]>([
  ['300MB', 3e8],
  ['300 mb', 3e8],
  ['1.5GB', 1.5e9],
  ['2', 2e9],
  ['0.05', 5e7],
  ['2000kB', 2e6],
])('%s of memory', (text, bytes) => {
  expect(read(text)).toBeCloseTo(bytes, 3);
});

it.each(['', 'MB', '300TB', '-1GB', '1..5GB', '0', '500kB', '2000GB', '1e3', '300MBs', 'NaN'])(
  '%j is no amount of memory',
  (text) => {
    expect(() => read(text)).toThrow('--memory must be an amount of memory such as 300MB or 2GB');
  },
);
