import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LOCAL_LINK_BITS_PER_SECOND } from '../../signaling/protocol/profile.ts';
import type { DeviceView, RoomView } from '../../signaling/protocol/room-view.ts';
import { answerProbes } from '../../web/session/links/link-probe.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { type AgainContext, type Fresh, MeasuringAgain } from '../../web/session/measuring/measuring-again.ts';
import type { MeasuredAgain } from '../../worker/api/device-api.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';
import { order, SeatScene, settle, tag } from './seat-scene.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { linkBitsPerSecond: _, ...MEASURED } = profile();
const WELL: MeasuredAgain = { measured: MEASURED, wasBusy: false };

function room(used: readonly string[]): RoomView {
  const part = { layers: [], head: true, samples: { start: 0, count: 1 }, microBatch: 1, memoryBytes: 0 };
  const seconds = { share: 1, uploadBits: 0, computeSeconds: 1, uploadSeconds: 0 };
  const device = (id: string): DeviceView => ({
    ...{ id, name: id, kind: 'tab', status: { kind: 'ready' }, hidden: false, linked: true, online: true },
    ...{ peerId: null, profile: profile() },
  });
  return {
    ...{ id: 'abc234', settings: SETTINGS, phase: 'training', host: 'host', planNote: null },
    devices: ['host', 'phone'].map(device),
    plan: {
      ...{ version: 1, policy: 'single', solver: '', solveMs: 0, latencySeconds: 1, lowerBoundSeconds: 1 },
      ...{ limitedBy: '', explanation: '' },
      assignments: used.map((id) => ({ device: id, ...part, ...seconds })),
    },
  };
}

/** A link to a host that answers probes, and the bytes that it took. */
function answeringLink() {
  const [hostEnd, deviceEnd] = localLinkPair();
  answerProbes(hostEnd);
  const seen = { bytes: 0 };
  hostEnd.onMessage(({ tensors }) => {
    seen.bytes += tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  });
  return { link: deviceEnd, hostEnd, seen };
}

function phone(link: MessageLink | null, change: Partial<AgainContext> = {}, bitsPerSecond = 1e5) {
  const fresh: Fresh[] = [];
  let view = room(['host']);
  let measured = 0;
  const measuring = new MeasuringAgain({
    self: 'phone',
    room: () => view,
    link: () => link && { link, bitsPerSecond },
    measure: async () => {
      measured++;
      return WELL;
    },
    onFresh: (one) => fresh.push(one),
    ...change,
  });
  const changes = (used: readonly string[]): void => {
    view = room(used);
    measuring.roomChanged();
  };
  measuring.roomChanged();
  return { measuring, fresh, changes, measured: () => measured };
}

describe('a device that a plan leaves out', () => {
  it('measures its speed and its link again after 10 s, with half a MiB at most', async () => {
    const { link, seen } = answeringLink();
    const { measuring, fresh } = phone(link);
    await vi.advanceTimersByTimeAsync(9999);
    expect(fresh).toEqual([]);
    await vi.advanceTimersByTimeAsync(5001);
    expect(fresh).toHaveLength(1);
    expect(fresh[0]?.measured).toBe(MEASURED);
    // A link in memory answers at once.
    expect(fresh[0]?.linkBitsPerSecond).toBeGreaterThan(1e6);
    expect(seen.bytes).toBeGreaterThan(0);
    expect(seen.bytes).toBeLessThanOrEqual(512 * 1024 + 256 * 1024);
    await vi.advanceTimersByTimeAsync(15_000 + 20_000);
    expect(fresh).toHaveLength(2);
    measuring.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not call a link slower for a probe that was too short to tell', async () => {
    const { link } = answeringLink();
    const { measuring, fresh } = phone(link, {}, 9e11);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(fresh[0]?.linkBitsPerSecond).toBe(9e11);
    measuring.close();
  });

  it('that is the host measures its speed alone', async () => {
    const { link, seen } = answeringLink();
    const { measuring, fresh } = phone(link, {}, LOCAL_LINK_BITS_PER_SECOND);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(fresh).toEqual([{ measured: MEASURED, linkBitsPerSecond: LOCAL_LINK_BITS_PER_SECOND }]);
    expect(seen.bytes).toBe(0);
    measuring.close();
  });

  it('stops once the plan uses it, and says nothing of what failed or was put off', async () => {
    const { link, hostEnd } = answeringLink();
    const used = phone(link);
    await vi.advanceTimersByTimeAsync(5000);
    used.changes(['host', 'phone']);
    expect(vi.getTimerCount()).toBe(0);
    for (const measure of [async () => null, () => Promise.reject(new Error('The GPU was lost.'))]) {
      const put = phone(link, { measure });
      await vi.advanceTimersByTimeAsync(25_000);
      expect(put.fresh).toEqual([]);
      put.measuring.close();
    }
    hostEnd.close();
    const broken = phone(link);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(broken.fresh).toEqual([]);
    expect(broken.measured()).toBe(2);
    broken.measuring.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('an order that comes while a device measures itself stops that, and is begun when the engine is free', async () => {
  const scene = new SeatScene();
  let stopped = 0;
  let free: (again: MeasuredAgain | null) => void = () => undefined;
  scene.worker.measureAgain = () =>
    new Promise((resolve) => {
      free = resolve;
    });
  scene.worker.stopMeasuring = async () => {
    stopped++;
  };
  const again = scene.seat.model.measureAgain();
  await settle();
  expect(stopped).toBe(0);
  await scene.send(order(tag(1), [0], 3));
  expect(stopped).toBe(1);
  expect(scene.worker.order).toBeNull();
  free(null);
  expect(await again).toBeNull();
  await settle();
  expect(scene.worker.order).not.toBeNull();
  // The next one finds nothing to stop.
  scene.seat.close();
});
