import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LinkCounts, linkCounts, linkState, watchLink } from '../../web/session/transport/link-state.ts';

/** As Chromium tells it: the transport names the pair. */
const CHROMIUM = [
  { id: 'T1', type: 'transport', selectedCandidatePairId: 'P2' },
  { id: 'P1', type: 'candidate-pair', state: 'succeeded', nominated: true, bytesSent: 1, bytesReceived: 1 },
  {
    ...{ id: 'P2', type: 'candidate-pair', state: 'succeeded', nominated: true, currentRoundTripTime: 0.012 },
    ...{ bytesSent: 1000, bytesReceived: 500, localCandidateId: 'L', remoteCandidateId: 'R' },
  },
  { id: 'L', type: 'local-candidate', candidateType: 'host' },
  { id: 'R', type: 'remote-candidate', candidateType: 'prflx' },
];
const relayed = (end: 'L' | 'R') => CHROMIUM.map((one) => (one.id === end ? { ...one, candidateType: 'relay' } : one));

describe('what a browser tells of a link', () => {
  it('is whether it is direct, how long a message takes there and back, and what passed', () => {
    const expected = { way: 'direct', roundTripMs: 12, sentBytes: 1000, receivedBytes: 500 };
    expect(linkCounts(CHROMIUM)).toEqual(expected);
    for (const end of ['L', 'R'] as const) expect(linkCounts(relayed(end))).toEqual({ ...expected, way: 'relayed' });
  });

  it('is read from the pair itself where no transport names one', () => {
    const firefox = CHROMIUM.slice(1).map((one) => (one.id === 'P2' ? { ...one, selected: true } : one));
    expect(linkCounts(firefox)?.sentBytes).toBe(1000);
    expect(linkCounts(CHROMIUM.slice(1, 2))?.sentBytes).toBe(1);
  });

  it.each([
    ['nothing', []],
    ['no pair', [{ id: 'T1', type: 'transport' }]],
    ['a pair that is tried', [{ id: 'P', type: 'candidate-pair', nominated: true, state: 'in-progress' }]],
    ['what is no report', [null, 'x', 7]],
  ])('is not known from %s', (_what, reports) => {
    expect(linkCounts(reports)).toBeNull();
  });

  it('takes no number that is none', () => {
    const odd = CHROMIUM.map((one) =>
      one.id === 'P2' ? { ...one, currentRoundTripTime: Number.NaN, bytesSent: 'x' } : one,
    );
    expect(linkCounts(odd)).toEqual({ way: 'direct', roundTripMs: null, sentBytes: 0, receivedBytes: 500 });
  });
});

const at = (sentBytes: number, receivedBytes: number): LinkCounts => ({
  way: 'direct',
  roundTripMs: 3,
  sentBytes,
  receivedBytes,
});

it('rates are bits over the seconds between two looks, and none where a count began anew', () => {
  expect(linkState(at(1000, 0), at(6000, 250), 2)).toEqual({
    ...{ way: 'direct', roundTripMs: 3 },
    ...{ sentBitsPerSecond: 20_000, receivedBitsPerSecond: 1000, movedBytes: 6250 },
  });
  expect(linkState(null, at(6000, 250), 2)).toMatchObject({ sentBitsPerSecond: 0, receivedBitsPerSecond: 0 });
  expect(linkState(at(7000, 0), at(6000, 250), 1)).toMatchObject({ sentBitsPerSecond: 0, receivedBitsPerSecond: 2000 });
  expect(linkState(at(0, 0), at(6000, 250), 0)).toMatchObject({ sentBitsPerSecond: 0 });
});

describe('a link that is watched', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is told of at once and every five seconds, until it closes', async () => {
    const told: number[] = [];
    let close = (_why: string): void => undefined;
    let sent = 0;
    watchLink(
      async () => {
        sent += 5000;
        return at(sent, 0);
      },
      (listener) => {
        close = listener;
      },
      ({ sentBitsPerSecond }) => told.push(sentBitsPerSecond),
    );
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([0, 8000, 8000]);
    close('over');
    await vi.advanceTimersByTimeAsync(20_000);
    expect([told.length, vi.getTimerCount()]).toEqual([3, 0]);
  });

  it('is not told of where the browser refuses', async () => {
    const told: unknown[] = [];
    watchLink(
      () => Promise.reject(new Error('no')),
      () => undefined,
      (state) => told.push(state),
    );
    await vi.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([]);
  });
});
