import { describe, expect, it } from 'vitest';
import {
  FIRST_WINDOW,
  MOST_BYTES,
  nextWindow,
  RoundTrips,
  type SendWindow,
  sliceBytes,
} from '../../web/session/links/send-window.ts';

const KIB = 1024;
/** What a sender sees on a path of this rate that never ran dry. */
const steady = (bitsPerSecond: number) => ({ bytes: bitsPerSecond / 8 / 100, elapsedMs: 10, ranDry: false });
const afterLooks = (looks: number, bitsPerSecond: number, roundTripMs: number): SendWindow => {
  let window = FIRST_WINDOW;
  for (let i = 0; i < looks; i++) window = nextWindow(window, steady(bitsPerSecond), roundTripMs);
  return window;
};

describe('how much may be unsent', () => {
  it('is what the path drains in a round trip and 60 ms', () => {
    // 40 Mbit/s are 5,000 bytes a millisecond.
    expect(afterLooks(1, 40e6, 0)).toEqual({ bytes: 300_000, bytesPerMs: 5000, lateMs: 60 });
    expect(afterLooks(1, 40e6, 30)).toEqual({ bytes: 450_000, bytesPerMs: 5000, lateMs: 60 });
    expect(afterLooks(1, 40e6, 100)).toEqual({ bytes: 800_000, bytesPerMs: 5000, lateMs: 60 });
  });

  it('keeps within its bounds, on the slowest path and on the quickest', () => {
    expect(afterLooks(1, 1e6, 20).bytes).toBe(64 * KIB);
    expect(afterLooks(5, 10e9, 100).bytes).toBe(MOST_BYTES);
    expect(afterLooks(5, 0, 100).bytes).toBe(64 * KIB);
  });

  it('follows a path that changes, a quarter of the way at each look', () => {
    const slow = afterLooks(1, 40e6, 30);
    const once = nextWindow(slow, steady(80e6), 30);
    expect(once.bytesPerMs).toBe(6250);
    expect(once.bytes).toBe(562_500);
    let window = slow;
    for (let i = 0; i < 20; i++) {
      const next = nextWindow(window, steady(8e6), 30);
      expect(next.bytes).toBeGreaterThanOrEqual(window.bytes / 2);
      window = next;
    }
    expect(window.bytesPerMs).toBeCloseTo(1000, -2);
    expect(nextWindow({ bytes: MOST_BYTES, bytesPerMs: 100, lateMs: 60 }, steady(8e5), 0).bytes).toBe(MOST_BYTES / 2);
  });

  it('stays larger for a while on a machine that came too late: each time twice as late, and forgiven a twentieth at a look', () => {
    const dry = { ...steady(40e6), ranDry: true };
    let window = nextWindow(afterLooks(1, 40e6, 10), dry, 10);
    // 5,000 bytes a millisecond for 10 ms there and back and 120 late: less than twice of the 350,000 before.
    expect(window).toEqual({ bytes: 700_000, bytesPerMs: 5000, lateMs: 120 });
    for (let i = 0; i < 5; i++) window = nextWindow(window, dry, 10);
    expect(window.lateMs).toBe(160);
    window = nextWindow(window, steady(40e6), 10);
    expect(window).toEqual({ bytes: 810_000, bytesPerMs: 5000, lateMs: 152 });
    for (let i = 0; i < 60; i++) window = nextWindow(window, steady(40e6), 10);
    expect(window).toEqual({ bytes: 350_000, bytesPerMs: 5000, lateMs: 60 });
  });

  it('doubles where the path ran dry, and looks at nothing in no time', () => {
    expect(FIRST_WINDOW.bytes).toBe(128 * KIB);
    const dry = { bytes: 128 * KIB, elapsedMs: 100, ranDry: true };
    expect(nextWindow(FIRST_WINDOW, dry, 0).bytes).toBe(256 * KIB);
    expect(nextWindow(nextWindow(FIRST_WINDOW, dry, 0), dry, 0).bytes).toBe(512 * KIB);
    expect(nextWindow({ bytes: MOST_BYTES, bytesPerMs: 1, lateMs: 60 }, dry, 0).bytes).toBe(MOST_BYTES);
    for (const elapsedMs of [0, -1, Number.NaN])
      expect(nextWindow(FIRST_WINDOW, { ...dry, elapsedMs }, 0)).toEqual(FIRST_WINDOW);
  });
});

it('a slice is what goes in 5 ms, within its bounds, and the longest while nothing is known', () => {
  const at = (bitsPerSecond: number) => sliceBytes({ ...FIRST_WINDOW, bytesPerMs: bitsPerSecond / 8000 });
  expect(sliceBytes(FIRST_WINDOW)).toBe(16 * KIB);
  // 4 Mbit/s are 500 bytes a millisecond.
  expect([at(1e5), at(4e6), at(16e6), at(1e9)]).toEqual([2 * KIB, 2500, 10_000, 16 * KIB]);
});

it('a round trip is the shortest of the last ten, and never what a wrong clock says', () => {
  const trips = new RoundTrips();
  expect(trips.shortestMs).toBe(0);
  for (const ms of [80, 50, 70, -5, Number.NaN]) trips.add(ms);
  expect(trips.shortestMs).toBe(50);
  for (let i = 0; i < 10; i++) trips.add(90);
  expect(trips.shortestMs).toBe(90);
  for (let i = 0; i < 10; i++) trips.add(1e9);
  expect(trips.shortestMs).toBe(1000);
});
