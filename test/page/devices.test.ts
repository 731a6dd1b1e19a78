import { describe, expect, it } from 'vitest';
import { clothSentence, planTable } from '../../web/page/allocation/plan-table.ts';
import { deviceLines, deviceStatus, foldedLines } from '../../web/page/devices/device-lines.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { device, plan, room, rounds, type Share, withStatus } from './gallery/scenarios.ts';

const SHARES: readonly Share[] = [
  { place: 0, layers: [0, 1, 2] },
  { place: 1, layers: [3, 4, 5], head: true },
];
const two = plan(6, SHARES);
two.assignments[1]!.computeSeconds = 0.3;
two.assignments[1]!.uploadSeconds = 0.12;
const pair = room({ devices: [device(0), device(1)], plan: two });
const seats = [device(0).id, device(1).id];

describe('deviceStatus', () => {
  it.each([
    [withStatus(2, { kind: 'joining' }), 'joining', 'busy'],
    [withStatus(2, { kind: 'loading', done: 3.2, total: 4.6 }), 'loading the model, 70 %', 'busy'],
    [withStatus(2, { kind: 'loading', done: 0, total: 0 }), 'loading the model', 'busy'],
    [
      withStatus(2, {
        kind: 'loading',
        done: 3,
        total: 9,
        transfer: { bytes: 120e6, totalBytes: 331e6, bytesPerSecond: 8.2e6, secondsLeft: 26 },
      }),
      'loading the model: 120 MB of 331 MB, 8.2 MB/s, about 30 s left',
      'busy',
    ],
    [
      withStatus(2, {
        kind: 'loading',
        done: 3,
        total: 9,
        transfer: { bytes: 331e6, totalBytes: 331e6, bytesPerSecond: 8.2e6, secondsLeft: 0 },
      }),
      'loading the model: 331 MB are here',
      'busy',
    ],
    [withStatus(2, { kind: 'profiling' }), 'measuring its speed', 'busy'],
    [withStatus(2, { kind: 'failed', sentence: 'Out of memory.' }), 'cannot go on: Out of memory.', 'problem'],
    [withStatus(2, { kind: 'watching' }), 'watching', 'quiet'],
    [device(2, { linked: false }), 'ready, but its link to the host is not open', 'problem'],
    [device(2, { linked: false, online: false }), 'lost its connection; it may come back', 'problem'],
    [device(2), 'stands by: this plan is quicker without it', 'quiet'],
    [device(2, { hidden: true }), 'stands by: this plan is quicker without it', 'quiet'],
    [
      device(2, { probation: { why: 'late', since: 12, next: 16 } }),
      'did not deliver in time up to round 12: others do its part; it is tried again from round 16 on, and back when it delivers',
      'problem',
    ],
    [
      device(1, { probation: { why: 'failed', since: 12, next: 13 } }),
      'failed again and again up to round 12: others do its part; it is tried again from round 13 on, and back when it delivers',
      'problem',
    ],
    [device(1), 'trains layers 3–5 and the head', 'well'],
    [device(1, { online: false }), 'trains layers 3–5 and the head; lost the server, still linked to the host', 'well'],
    [
      device(1, { hidden: true }),
      'trains layers 3–5 and the head; its tab is in the background, where browsers slow it down',
      'problem',
    ],
  ] as const)('case %#: %s', (one, status, tone) => {
    expect(deviceStatus(one, pair)).toEqual({ status, tone });
  });

  it('follows the phase', () => {
    expect(deviceStatus(device(0), { ...pair, phase: 'gathering' }).status).toBe('will train layers 0–2');
    expect(deviceStatus(device(0), { ...pair, phase: 'paused' }).status).toBe('paused; trains layers 0–2');
    expect(deviceStatus(device(0), { ...pair, phase: 'finished' }).status).toBe('trained layers 0–2');
    expect(deviceStatus(device(0), { ...pair, plan: null }).status).toBe('ready');
  });

  it('names a part of the samples', () => {
    const parts = plan(6, [{ place: 0, layers: [5], head: true, samples: { start: 0, count: 12 } }]);
    expect(deviceStatus(device(0), { ...pair, plan: parts }).status).toBe(
      'trains layer 5 and the head for 12 of 32 samples',
    );
  });
});

describe('deviceLines', () => {
  it('state predicted and measured time', () => {
    const [host, other] = deviceLines(pair, device(1).id, rounds(3, two), seats);
    expect(host?.tags).toEqual(['host']);
    expect(host?.profile).toContain('no link needed');
    expect(other?.tags).toEqual(['you']);
    const spared = { ...pair, devices: [device(1, { probation: { why: 'late', since: 3, next: 4 } })] };
    expect(deviceLines(spared, '', [], seats)[0]?.tags).toEqual(['on probation']);
    // Nobody else has the memory for a stage's run; the host is not audited.
    const pipeline = { pipeline: 0, window: 1, microBatches: 1 };
    const stages = two.assignments.map((one, index) => ({
      ...one,
      stage: { ...pipeline, index, from: 4 * index, to: 4 * (index + 1) },
    }));
    const split = { ...pair, plan: { ...two, policy: 'split' as const, assignments: stages } };
    expect(deviceLines(split, '', [], seats).map(({ tags }) => tags)).toEqual([['host'], ['unaudited']]);
    expect(other?.mark?.letter).toBe('B');
    expect(other?.facts[0]).toBe('predicted 0.42 s');
    expect(other?.facts[1]).toMatch(/^measured 0\.\d\d s$/);
  });

  it('tell in words what a device measured of itself', () => {
    const profile = device(1).profile!;
    const measured = {
      ...profile,
      flopsPerSecond: 12.4e9,
      memoryBytesPerSecond: 3.02e10,
      memory: { ...profile.memory, limitBytes: 1.5e9 },
      linkBitsPerSecond: 4.8e7,
      backend: 'WASM, 4 threads',
    };
    const [line] = deviceLines({ ...pair, devices: [device(1, { profile: measured })] }, '', [], seats);
    expect(line?.profile).toEqual([
      '12 GFLOP/s',
      '30 GB/s',
      'may take 1.5 GB',
      '48 Mbit/s to the host',
      'onnx on WASM, 4 threads',
    ]);
    expect(deviceLines({ ...pair, devices: [device(1, { profile: null })] }, '', [], seats)[0]?.profile).toEqual([]);
  });

  it('give a watcher no mark', () => {
    const watched = { ...pair, devices: [device(0), withStatus(1, { kind: 'watching' })] };
    expect(deviceLines(watched, '', [], seats)[1]?.mark).toBeNull();
  });

  it('is marked where nobody has proven that its link is whole, with the digits to compare', () => {
    const lines = (proof: 'secret' | 'compared' | 'not proven', digits: string | null = null) =>
      deviceLines(pair, '', [], seats, { [device(1).id]: { proof, digits } })[1];
    expect(lines('not proven', '402917')).toMatchObject({ tags: ['not proven'], digits: '402917' });
    expect(lines('compared')).toMatchObject({ tags: ['compared'], digits: null });
    // Who has the link needs no mark.
    expect(lines('secret')).toMatchObject({ tags: [], digits: null });
    expect(deviceLines(pair, '', [], seats)[1]).toMatchObject({ tags: [], digits: null });
  });

  it('offers a table of one’s own to whoever proved to know the secret, once, and says where it is', () => {
    const id = device(1).id;
    const lines = (proof: 'secret' | 'compared' | null, tables: SessionView['tables'] | null) =>
      deviceLines(pair, '', [], seats, proof === null ? {} : { [id]: { proof, digits: null } }, {}, tables);
    expect(lines('secret', {}).map(({ mayBeGiven }) => mayBeGiven)).toEqual([false, true]);
    expect(lines('secret', null)[1]?.mayBeGiven).toBe(false);
    expect(lines('compared', {})[1]?.mayBeGiven).toBe(false);
    expect(lines(null, {})[1]?.mayBeGiven).toBe(false);
    expect(lines('secret', { [id]: 'coming' })[1]).toMatchObject({ mayBeGiven: false, tags: ['is given the table'] });
    expect(lines('secret', { [id]: 'held' })[1]).toMatchObject({ mayBeGiven: false, tags: ['has the table'] });
  });
});

describe('foldedLines', () => {
  it('folds only a long list, and never this device', () => {
    const devices = Array.from({ length: 20 }, (_, place) => device(place));
    const lines = deviceLines(room({ devices, plan: two }), device(9).id, [], []);
    expect(foldedLines(lines).shown.map((line) => line.id)).toEqual([device(0).id, device(1).id, device(9).id]);
    expect(foldedLines(lines).folded).toHaveLength(17);
    expect(foldedLines(lines.slice(0, 12)).folded).toHaveLength(0);
  });
});

describe('the plan in words', () => {
  it('has a table line for each assignment', () => {
    expect(planTable(pair, [], seats)[1]).toEqual({
      device: device(1).id,
      name: 'Pixel 8',
      letter: 'B',
      blocks: 'layers 3–5 and the head',
      reach: 'down to layer 3',
      holds: '',
      samples: 'all 32',
      predicted: '0.42 s',
      measured: 'not yet',
    });
  });

  it('counts samples from one', () => {
    const parts = plan(6, [{ place: 0, layers: [], head: true, samples: { start: 12, count: 20 } }]);
    expect(planTable({ ...pair, plan: parts }, [], seats)[0]).toMatchObject({
      samples: '13–32 of 32',
      reach: 'head only',
    });
  });

  it('is one sentence for a screen reader', () => {
    expect(clothSentence(pair)).toContain('Pixel 8 trains layers 3–5 and the head, predicted 0.42 s.');
    expect(clothSentence({ ...pair, plan: null })).toBe('6 layers and the head; no plan yet.');
    const lora = { ...pair.settings.lora, layers: [3, 5] };
    expect(clothSentence({ ...pair, settings: { ...pair.settings, lora }, plan: null })).toBe(
      '6 layers and the head; no plan yet. Layers 0–2 and 4 carry no adapters and are not trained.',
    );
  });
});
