import { expect, it } from 'vitest';
import {
  besideBytes,
  limitsText,
  MAX_DATA_MEGABYTES,
  moved,
  NO_LIMITS,
  NOTHING_MOVED,
  parseLimits,
  readMegabytes,
  restReason,
} from '../../web/page/own/limits.ts';

it('adds up what went over one link after the other', () => {
  const counts = [1000, 1000, 2500, null, 300, 900, 200];
  const totals: number[] = [];
  let sum = NOTHING_MOVED;
  for (const count of counts) {
    sum = moved(sum, count);
    totals.push(sum.totalBytes);
  }
  // The third link came without that the second was seen to go.
  expect(totals).toEqual([1000, 1000, 2500, 2500, 2800, 3400, 3600]);
});

it('counts what stages exchanged past the host once', () => {
  const pair = { device: 'other', isLinked: true };
  const beside = [
    { ...pair, sentBytes: 100, receivedBytes: 50, relayedSentBytes: 30, relayedReceivedBytes: 5 },
    { ...pair, sentBytes: 7, receivedBytes: 0, relayedSentBytes: 0, relayedReceivedBytes: 0 },
  ];
  expect(besideBytes({ beside })).toBe(122);
});

it('rests from the limit on, and while a battery is used up', () => {
  const data = { dataMegabytes: 200, onlyCharging: false };
  expect(restReason(data, 199_999_999, null)).toBeNull();
  expect(restReason(data, 200_000_000, null)).toBe(
    'The 200 MB of data that you allow are used. Raise the limit to go on.',
  );
  const charging = { dataMegabytes: null, onlyCharging: true };
  expect(restReason(charging, 1e12, { level: 0.9, charging: false })).toMatch(/not charging/);
  expect(restReason(charging, 1e12, { level: 0.1, charging: true })).toBeNull();
  // All but Chromium's browsers say nothing of it.
  expect(restReason(charging, 1e12, null)).toBeNull();
  expect(restReason(NO_LIMITS, 1e15, { level: 0, charging: false })).toBeNull();
});

it('takes whole megabytes, or nothing', () => {
  expect(readMegabytes(' 200 ')).toEqual({ megabytes: 200 });
  expect(readMegabytes('  ')).toEqual({ megabytes: null });
  for (const wrong of ['0', '-1', '1.5', '1e3', 'much', `${MAX_DATA_MEGABYTES + 1}`])
    expect(readMegabytes(wrong)).toEqual({
      sentence: 'A whole number of megabytes from 1 to 1,000,000, or nothing.',
    });
  expect(readMegabytes(`${MAX_DATA_MEGABYTES}`)).toEqual({ megabytes: MAX_DATA_MEGABYTES });
});

it('reads what it remembered, and takes nothing from what it did not write', () => {
  for (const limits of [
    NO_LIMITS,
    { dataMegabytes: 50, onlyCharging: true },
    { dataMegabytes: null, onlyCharging: true },
  ])
    expect(parseLimits(limitsText(limits))).toEqual(limits);
  for (const text of [null, '', '50', '50;never', '-5;', '0;charging;']) expect(parseLimits(text)).toEqual(NO_LIMITS);
});
