import { describe, expect, it } from 'vitest';
import type { DeviceStatus, DeviceView } from '../../signaling/protocol/room-view.ts';
import { SPLIT_HEIRS, splitHeirs } from '../../web/session/training/split-heirs.ts';
import { profile } from '../protocol/samples.ts';

const VALUES = 1000;
/** Four numbers of four bytes each. */
const NEEDED_BYTES = 16_000;

function device(id: string, linkBitsPerSecond: number, limitBytes = 1e6, status: DeviceStatus = { kind: 'ready' }) {
  const own = profile();
  return {
    ...{ id, name: id, kind: 'tab', status, hidden: false, linked: true, online: true, peerId: null, holds: null },
    profile: { ...own, linkBitsPerSecond, memory: { ...own.memory, limitBytes } },
  } as const satisfies DeviceView;
}

function heirs(
  devices: readonly DeviceView[],
  more: { staged?: Record<string, number>; upToDate?: string[]; barred?: string[] } = {},
) {
  const { staged = {}, upToDate = [], barred = [] } = more;
  const assignments = Object.entries(staged).map(([id, memoryBytes]) => ({
    ...{ device: id, layers: [], head: false, samples: { start: 0, count: 1 }, microBatch: 1, memoryBytes },
    ...{ share: 1, uploadBits: 0, computeSeconds: 1, uploadSeconds: 0 },
  }));
  return splitHeirs({
    plan: { assignments },
    devices,
    mayLead: (id) => !barred.includes(id),
    isUpToDate: (id) => upToDate.includes(id),
    parameterCount: VALUES,
  });
}

describe('who holds all that a split room has learned', () => {
  it('are two: whoever does already, then devices without a stage, then the best linked', () => {
    const all = [device('a', 1e6), device('b', 2e6), device('c', 3e6), device('d', 1e5)];
    expect(SPLIT_HEIRS).toBe(2);
    expect(heirs(all)).toEqual(['c', 'b']);
    expect(heirs(all, { staged: { c: 0, b: 0 } })).toEqual(['a', 'd']);
    expect(heirs(all, { staged: { a: 0, b: 0, c: 0 } })).toEqual(['d', 'c']);
    expect(heirs(all, { staged: { a: 0, b: 0, c: 0 }, upToDate: ['a'] })).toEqual(['a', 'd']);
    expect(heirs([...all].reverse())).toEqual(['c', 'b']);
  });

  it('have the memory for it beside their stage', () => {
    const tight = device('a', 1e6, 2 * NEEDED_BYTES);
    expect(heirs([tight], { staged: { a: NEEDED_BYTES } })).toEqual(['a']);
    expect(heirs([tight], { staged: { a: NEEDED_BYTES + 1 } })).toEqual([]);
    expect(heirs([device('a', 1e6, NEEDED_BYTES - 1)])).toEqual([]);
  });

  it.each<[string, DeviceView, string[]]>([
    ['may not lead', device('a', 1e6), ['a']],
    ['has no link', { ...device('a', 1e6), linked: false }, []],
    ['has failed', device('a', 1e6, 1e6, { kind: 'failed', sentence: 'No.' }), []],
    ['is not measured', { ...device('a', 1e6), profile: null }, []],
  ])('are none that %s', (_, one, barred) => {
    expect(heirs([one, device('b', 1)], { barred })).toEqual(['b']);
  });

  it('may hold nothing of the model yet', () => {
    expect(heirs([device('a', 1e6, 1e6, { kind: 'measured' })])).toEqual(['a']);
  });
});
