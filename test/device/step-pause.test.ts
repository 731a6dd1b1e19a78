import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { evaluatedAtOnce } from '../../worker/device/order-memory.ts';
import { stepPause } from '../../worker/device/step-pause.ts';
import type { PassNeeds } from '../../worker/engine/engine.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

/** Milliseconds until a pause is over, by the clock that it waits on. */
async function lasts(pause: Promise<void>): Promise<number> {
  const startMs = performance.now();
  let over = false;
  void pause
    .finally(() => {
      over = true;
    })
    .catch(() => undefined);
  while (!over) {
    // A pause without a timer ends in a later task.
    await new Promise((resolve) => setImmediate(resolve));
    if (!over) await vi.advanceTimersByTimeAsync(1);
  }
  return performance.now() - startMs;
}

describe('after a step of work', () => {
  const live = new AbortController().signal;

  it('a device that is four times slower waits three times as long as the step took', async () => {
    const pause = stepPause({ slowdown: 4 }, live);
    expect(await lasts(pause(0.02))).toBeCloseTo(60, -0.5);
    expect(await lasts(pause(0.1))).toBeCloseTo(300, -0.5);
  });

  it('short waits are put together, and none is lost', async () => {
    const pause = stepPause({ slowdown: 3 }, live);
    let waitedMs = 0;
    // Twenty steps of 1 ms owe 2 ms each.
    for (let i = 0; i < 20; i++) waitedMs += await lasts(pause(0.001));
    expect(waitedMs).toBeGreaterThan(30);
    expect(waitedMs).toBeLessThan(50);
  });

  it('timers that are late by 5 ms are made up for', async () => {
    const wait = globalThis.setTimeout;
    vi.stubGlobal('setTimeout', (run: () => void, ms: number) => wait(run, ms + 5));
    const pause = stepPause({ slowdown: 3 }, live);
    let waitedMs = 0;
    for (let i = 0; i < 100; i++) waitedMs += await lasts(pause(0.001));
    vi.unstubAllGlobals();
    // 100 times 2 ms, and what the last timer was late.
    expect(waitedMs).toBeGreaterThan(190);
    expect(waitedMs).toBeLessThan(210);
  });

  it('a device that is as fast as it is waits for no timer', async () => {
    const pause = stepPause({ slowdown: 1 }, live)(5);
    await pause;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('an order that was given up ends, with why', async () => {
    const stop = new AbortController();
    const pause = stepPause({ slowdown: 1 }, stop.signal);
    await pause(0.1);
    stop.abort(new Error('given up'));
    await expect(pause(0.1)).rejects.toThrow('given up');
  });
});

describe('samples that are evaluated at once', () => {
  const engine = (weightsBytes: number, perToken: number) => ({
    bytes: (samples: number, tokens: number, { savedLayers }: PassNeeds) => {
      const transientBytes = perToken * samples * tokens;
      // A pass that only goes forward saves nothing.
      return { weightsBytes, transientBytes, savedBytes: 1e9 * savedLayers, gradientBytes: 0 };
    },
  });

  it.each([
    ['as many as are ever of use', 0, 1e9, 32],
    [
      'half as often as weights and activations are too large together: 1000 + 10 * 8 * 10 is all there is',
      1000,
      1800,
      8,
    ],
    ['the same with a byte less', 1000, 1799, 4],
    ['one, however little there is', 1000, 1, 1],
  ])('%s', (_, weightsBytes, limitBytes, samples) => {
    expect(evaluatedAtOnce(engine(weightsBytes, 10), 10, limitBytes)).toBe(samples);
  });
});
