import { describe, expect, it } from 'vitest';
import { isCheckable } from '../../signaling/protocol/pipeline/checkers.ts';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { DeviceView } from '../../signaling/protocol/room-view.ts';
import { SETTINGS_VERSION } from '../../signaling/protocol/version.ts';
import { awaited, finishSecondsOf, isSplit, possibleStages, sparesOf } from '../../web/session/rounds/split/layout.ts';
import { blocksOf } from '../../web/session/rounds/split/stage-orders.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';
import { splitPlan } from './told-split-round.ts';

/** A layer takes a second up and two down, and is fetched in a second; embeddings in four, the head in half a one. */
const parted = (limitBytes = 1e9): Profile => ({
  ...profile(),
  secondsPerSample: { embed: 0, forwardPerLayer: 1e-7, backwardPerLayer: 1e-7, head: 0 },
  memory: {
    limitBytes,
    weightsBytes: 1e7,
    transientPerSample: 0,
    savedPerSamplePerLayer: 0,
    gradientBytesPerLayer: 0,
  },
  parts: {
    fixedSeconds: { embed: 0, forwardPerLayer: 1, backwardPerLayer: 2, head: 0 },
    embeddingBytes: 4e6,
    layerBytes: 1e6,
    headBytes: 5e5,
  },
  downloadBitsPerSecond: 8e6,
});
const device = (id: string, change: Partial<DeviceView> = {}): DeviceView => ({
  id,
  name: id,
  kind: 'tab',
  status: { kind: 'ready' },
  hidden: false,
  linked: true,
  online: true,
  peerId: null,
  profile: parted(),
  ...change,
});
const PLAN = splitPlan();
const RUNS = [
  { from: 0, to: 3 },
  { from: 3, to: 6 },
  { from: 6, to: 8 },
];
/** With no room for anything beside their runs. */
const holding = (): DeviceView[] =>
  [6e6, 3e6, 1.5e6].map((bytes, i) => device('abc'[i]!, { holds: RUNS[i]!, profile: parted(bytes) }));
const names = (plan: RoomPlan, devices: readonly DeviceView[], linked = (_: string) => true): string[] =>
  awaited(plan, devices, linked).map((own) => own.device);
const settings = { ...SETTINGS, version: SETTINGS_VERSION, policy: 'split' as const };

describe('a layout', () => {
  it('waits for devices that are not there, not ready, without a link, or without their run', () => {
    expect(isSplit(PLAN)).toBe(true);
    expect(names(PLAN, holding())).toEqual([]);
    expect(names(PLAN, holding().slice(1))).toEqual(['a']);
    expect(names(PLAN, holding(), (id) => id !== 'b')).toEqual(['b']);
    const [a, b, c] = holding();
    expect(names(PLAN, [{ ...a!, status: { kind: 'measured' } }, b!, c!])).toEqual(['a']);
    expect(names(PLAN, [{ ...a!, holds: { from: 0, to: 2 } }, { ...b!, holds: null }, c!])).toEqual(['a', 'b']);
    expect(names(PLAN, [{ ...a!, holds: { from: 0, to: 8 } }, b!, c!])).toEqual([]);
  });

  it('of whole models waits for nobody', () => {
    const whole = { ...PLAN, assignments: PLAN.assignments.map(({ stage: _, ...own }) => own) };
    expect([isSplit(whole), names(whole, [])]).toEqual([false, []]);
  });

  it('has members that hidden states go between: who measured itself, and nobody where nothing is split', () => {
    const devices = [...holding(), device('watcher', { profile: null })];
    expect([...possibleStages(PLAN, devices)]).toEqual(['a', 'b', 'c']);
    const whole = { ...PLAN, assignments: PLAN.assignments.map(({ stage: _, ...own }) => own) };
    expect([possibleStages(whole, devices).size, possibleStages(null, devices).size]).toEqual([0, 3]);
  });

  it('is over at each stage when the schedule says, the last one first; as the plan says where a device is not known', () => {
    const room = { settings, devices: holding(), host: 'a' };
    const [a, b, c] = finishSecondsOf(PLAN, room);
    // Four micro-batches, six layers: a trains nothing in this plan's windows and is done first.
    expect(a).toBeGreaterThan(8);
    expect(b).toBeGreaterThan(c!);
    const unknown = { ...room, devices: room.devices.slice(1) };
    expect(finishSecondsOf(PLAN, unknown)).toEqual([2, 2, 2]);
  });

  it('has spares: who holds a run is ready at once, others when they have fetched it, and nobody without the memory', () => {
    const spares = (...others: DeviceView[]) =>
      sparesOf(PLAN, { settings, devices: [...holding(), ...others], host: 'a' }, () => true).map((one) => [
        one.device,
        Object.fromEntries([...one.readyIn].map(([number, seconds]) => [number, Math.round(1000 * seconds) / 1000])),
      ]);
    expect(spares(device('d', { status: { kind: 'measured' } }))).toEqual([['d', { 1: 6, 2: 3, 3: 1.5 }]]);
    expect(spares(device('d', { holds: { from: 2, to: 6 } }))).toEqual([['d', { 1: 6, 2: 0, 3: 1.5 }]]);
    expect(spares(device('d', { profile: parted(4.5e6) }))).toEqual([['d', { 2: 3, 3: 1.5 }]]);
    expect(spares(device('d', { profile: parted(1e6) }))).toEqual([]);
    // Who has a stage can take another one as well, fetched anew, as far as its own leaves the memory.
    const [a, b, c] = holding();
    const room = { settings, devices: [a!, { ...b!, profile: parted(3e6 + 5e6) }, c!], host: 'a' };
    expect(sparesOf(PLAN, room, () => true)).toEqual([{ device: 'b', readyIn: new Map([[3, 1.5]]) }]);
    expect(spares(device('d', { profile: profile() }), device('e', { status: { kind: 'paused' } }))).toEqual([]);
  });

  it('has stages that others can compute again, where they have the memory for the run beside their own', () => {
    const checkable = (devices: readonly DeviceView[]) =>
      ['a', 'b', 'c'].filter((id) => isCheckable(id, devices, PLAN, settings));
    expect(checkable(holding())).toEqual([]);
    expect(checkable(holding().map((one) => ({ ...one, profile: parted(1e9) })))).toEqual(['a', 'b', 'c']);
    // A spare has room for anything but what it has in memory already.
    expect(checkable([...holding(), device('d', { profile: parted(4e6) })])).toEqual(['b', 'c']);
    expect(checkable([...holding(), device('d', { profile: parted(4e6), holds: { from: 6, to: 8 } })])).toEqual(['c']);
  });
});

it('parameters travel with a stage as its own blocks: the head’s first, then the layers’', () => {
  const layer = 4 * 8 * 128;
  const head = 130 * 129;
  // Each value says where it is from.
  const values = Float32Array.from({ length: 6 * layer + head }, (_, i) => Math.min(6, Math.floor(i / layer)));
  const seen = (from: number, to: number) => {
    const blocks = blocksOf(values, { from, to }, SETTINGS);
    return [blocks.length, [...new Set(blocks)]];
  };
  expect(seen(0, 1)).toEqual([0, []]);
  expect(seen(0, 3)).toEqual([2 * layer, [0, 1]]);
  expect(seen(6, 8)).toEqual([head + layer, [6, 5]]);
  expect(seen(0, 8)).toEqual([head + 6 * layer, [6, 0, 1, 2, 3, 4, 5]]);
});
