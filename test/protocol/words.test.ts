import { describe, expect, it } from 'vitest';
import { blocksText, listText, rangesText } from '../../signaling/protocol/words/lists.ts';
import {
  agoText,
  byteRateText,
  bytesText,
  flopsText,
  percentText,
  rateText,
  secondsText,
  timeLeftText,
} from '../../signaling/protocol/words/quantities.ts';

describe('quantities', () => {
  it.each([
    [0, '0 ms'],
    [0.0421, '42 ms'],
    [0.0995, '0.10 s'],
    [0.42, '0.42 s'],
    [0.996, '1.0 s'],
    [4.24, '4.2 s'],
    [9.96, '10 s'],
    [34.4, '34 s'],
    [59.6, '1 min'],
    [125, '2 min 5 s'],
    [3569, '59 min 29 s'],
    [3600, '1 h'],
    [3840, '1 h 4 min'],
  ])('%d seconds read %s', (seconds, text) => expect(secondsText(seconds)).toBe(text));

  it.each([
    [3, 'a few seconds'],
    [12, 'about 20 s'],
    [50, 'about 50 s'],
    [58, 'about 1 min'],
    [200, 'about 3 min'],
    [3540, 'about 1 h'],
    [5400, 'about 1.5 h'],
  ])('%d seconds to come read %s', (seconds, text) => expect(timeLeftText(seconds)).toBe(text));

  it.each([
    [0, 'just now'],
    [29_000, 'just now'],
    [61_000, '1 minute ago'],
    [3_500_000, '58 minutes ago'],
    [3_590_000, '1 hour ago'],
    [10_800_000, '3 hours ago'],
    [86_000_000, '1 day ago'],
    [864_000_000, '10 days ago'],
  ])('%d ms ago read %s', (ms, text) => expect(agoText(ms)).toBe(text));

  it('gives rates and sizes SI prefixes', () => {
    expect(flopsText(12.4e9)).toBe('12 GFLOP/s');
    expect(flopsText(1.52e12)).toBe('1.5 TFLOP/s');
    expect(byteRateText(8.2e6)).toBe('8.2 MB/s');
    expect(rateText(38.4e6)).toBe('38 Mbit/s');
    expect(rateText(1.25e9)).toBe('1.3 Gbit/s');
    expect(rateText(999_900)).toBe('1.0 Mbit/s');
    expect(rateText(640)).toBe('640 bit/s');
    expect(bytesText(196_864)).toBe('197 kB');
  });

  it('reads 100 % only when all is done', () => {
    expect(percentText(0.999)).toBe('99 %');
    expect(percentText(1)).toBe('100 %');
    expect(percentText(0)).toBe('0 %');
  });
});

describe('lists', () => {
  it('joins with commas and one "and"', () => {
    expect(listText([])).toBe('');
    expect(listText(['a'])).toBe('a');
    expect(listText(['a', 'b', 'c'])).toBe('a, b and c');
  });

  it('draws runs together', () => {
    expect(rangesText([0, 1, 2])).toBe('0–2');
    expect(rangesText([4, 5])).toBe('4–5');
    expect(rangesText([0, 2, 3, 4])).toBe('0 and 2–4');
    expect(rangesText([0, 1, 5])).toBe('0, 1 and 5');
  });

  it.each<[readonly number[], boolean, string]>([
    [[], true, 'the head'],
    [[], false, 'nothing'],
    [[3], false, 'layer 3'],
    [[4, 5], true, 'layers 4–5 and the head'],
    [[0, 3], true, 'layers 0 and 3, and the head'],
  ])('layers %j with head %j read %s', (layers, head, text) => expect(blocksText(layers, head)).toBe(text));
});
