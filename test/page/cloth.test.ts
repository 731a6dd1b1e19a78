import { describe, expect, it } from 'vitest';
import { assignedRows, cloth, hasWork, type Thread, tooQuickToShow } from '../../web/page/cloth/cloth.ts';
import { loom } from '../../web/page/cloth/cloth-geometry.ts';
import { device, plan, room, rounds, type Share, withStatus } from './gallery/scenarios.ts';

const SHARES: readonly Share[] = [
  { place: 0, layers: [2, 3] },
  { place: 1, layers: [4, 5], head: true },
  { place: 2, layers: [0, 1] },
];
const threePlan = plan(6, SHARES);
const three = room({ devices: [device(0), device(1), device(2)], plan: threePlan });
const seats = [0, 1, 2, 3, 4, 5].map((place) => device(place).id);
const base = { self: device(1).id, rounds: [], activity: null, seats };
const states = (thread: Thread | undefined) => thread?.cells.map((cell) => `${cell.row} ${cell.state}`);

describe('rows', () => {
  it('go from the head down to the layer next to the embeddings', () => {
    expect(cloth({ ...base, room: three }).rows).toEqual([
      { layer: null, depth: 0, bare: false },
      { layer: 5, depth: 1, bare: false },
      { layer: 4, depth: 2, bare: false },
      { layer: 3, depth: 3, bare: false },
      { layer: 2, depth: 4, bare: false },
      { layer: 1, depth: 5, bare: false },
      { layer: 0, depth: 6, bare: false },
    ]);
  });

  it('of layers without adapters are bare: gradients pass them, and nobody weaves there', () => {
    const lora = { ...three.settings.lora, layers: [1, 3, 5] };
    const shares: readonly Share[] = [
      { place: 0, layers: [1, 3] },
      { place: 1, layers: [5], head: true },
    ];
    const some = room({ devices: [device(0), device(1)], plan: plan(6, shares) });
    const drawn = cloth({ ...base, room: { ...some, settings: { ...some.settings, lora } } });
    expect(drawn.rows.filter(({ bare }) => bare).map(({ layer }) => layer)).toEqual([4, 2, 0]);
    const deep = drawn.threads.find(({ device: id }) => id === device(0).id);
    expect(states(deep)).toEqual(['3 woven', '5 woven']);
    expect(deep?.reachRows).toBe(6);
  });

  it('of an assignment run top to bottom', () => {
    expect(assignedRows({ layers: [0, 4, 5], head: true }, 6)).toEqual([0, 1, 2, 6]);
    expect(assignedRows({ layers: [11], head: false }, 12)).toEqual([1]);
    expect(assignedRows({ layers: [], head: true }, 24)).toEqual([0]);
  });
});

describe('work', () => {
  const assigned = threePlan.assignments[0]!;
  const samples = (count: number) => ({ ...assigned.samples, count });

  it.each([
    ['one layer of one sample', { layers: [3], head: false, samples: samples(1) }, true],
    ['the head alone', { layers: [], head: true, samples: samples(4) }, true],
    ['no block', { layers: [], head: false, samples: samples(4) }, false],
    ['no sample', { layers: [3], head: true, samples: samples(0) }, false],
  ])('%s', (_, change, works) => {
    expect(hasWork({ ...assigned, ...change })).toBe(works);
  });
});

describe('threads', () => {
  it('weave their blocks and reach as deep as their deepest one', () => {
    const [a, b, c] = cloth({ ...base, room: three }).threads;
    expect(states(a)).toEqual(['3 woven', '4 woven']);
    expect(a?.reachRows).toBe(5);
    expect(states(b)).toEqual(['0 woven', '1 woven', '2 woven']);
    expect(b?.reachRows).toBe(3);
    expect(c?.reachRows).toBe(7);
    expect([a?.self, b?.self]).toEqual([false, true]);
  });

  it('fill from the shallow end as gradients arrive', () => {
    const activity = {
      round: 9,
      devices: [
        { device: device(0).id, received: 0, expected: 2 },
        { device: device(1).id, received: 2, expected: 3 },
        { device: device(2).id, received: 2, expected: 2 },
      ],
    };
    const [a, b, c] = cloth({ ...base, room: three, activity }).threads;
    expect(states(a)).toEqual(['3 next', '4 open']);
    expect(states(b)).toEqual(['0 woven', '1 woven', '2 next']);
    expect(states(c)).toEqual(['5 woven', '6 woven']);
  });

  it('show a share of the blocks when a device was asked for more than its plan says', () => {
    const activity = { round: 9, devices: [{ device: device(1).id, received: 3, expected: 6 }] };
    expect(states(cloth({ ...base, room: three, activity }).threads[1])).toEqual(['0 woven', '1 next', '2 open']);
  });

  it('stay woven while paused and in rounds too quick to follow', () => {
    const activity = { round: 9, devices: [{ device: device(1).id, received: 0, expected: 3 }] };
    const woven = ['0 woven', '1 woven', '2 woven'];
    expect(states(cloth({ ...base, room: { ...three, phase: 'paused' }, activity }).threads[1])).toEqual(woven);
    const quick = rounds(5, threePlan).map((report) => ({ ...report, elapsedSeconds: 0.2 }));
    expect(states(cloth({ ...base, room: three, activity, rounds: quick }).threads[1])).toEqual(woven);
  });

  it('say what keeps a device from working', () => {
    const devices = [
      device(0),
      device(1, { online: false }),
      device(2, { online: false, linked: false }),
      withStatus(3, { kind: 'failed', sentence: 'Out of memory.' }),
      withStatus(4, { kind: 'profiling' }),
      device(5),
      withStatus(6, { kind: 'watching' }),
    ];
    const seen = cloth({ ...base, room: { ...three, devices } }).threads.map((thread) => thread.state);
    expect(seen).toEqual(['works', 'works', 'away', 'failed', 'preparing', 'spare']);
    const unplanned = [device(0), device(1, { linked: false })];
    expect(cloth({ ...base, room: { ...three, devices: unplanned, plan: null } }).threads.map((t) => t.state)).toEqual([
      'ready',
      'unlinked',
    ]);
  });

  it('hang by teams, as wide as their share of the samples', () => {
    const teams = plan(6, [
      { place: 0, layers: [3, 4, 5], head: true, samples: { start: 8, count: 24 } },
      { place: 1, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 0, count: 8 } },
      { place: 2, layers: [0, 1, 2], samples: { start: 8, count: 24 } },
    ]);
    const { threads } = cloth({ ...base, room: { ...three, plan: teams } });
    expect(threads.map((t) => [t.mark.letter, t.team, t.width])).toEqual([
      ['B', 0, 8 / 24],
      ['A', 1, 1],
      ['C', 1, 1],
    ]);
  });

  it('keep the order of arrival where nobody shares samples', () => {
    const parallel = plan(6, [
      { place: 0, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 24, count: 8 } },
      { place: 1, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 0, count: 24 } },
    ]);
    const { threads } = cloth({ ...base, room: { ...three, plan: parallel } });
    expect(threads.map((t) => [t.mark.letter, t.team])).toEqual([
      ['A', 0],
      ['B', 0],
      ['C', 0],
    ]);
  });

  it('carry predicted seconds, and measured ones of the current plan only', () => {
    const old = rounds(3, { ...threePlan, version: 2 });
    const [before] = cloth({ ...base, room: three, rounds: old }).threads;
    expect(before?.measured).toBeNull();
    const now = [1, 5, 2].map((seconds, i) => ({
      ...rounds(1, threePlan)[0]!,
      round: i + 1,
      devices: [
        {
          device: device(0).id,
          samples: 32,
          deepestDepth: 4,
          computeSeconds: seconds,
          uploadSeconds: 0.5,
          uploadBits: 1,
        },
      ],
    }));
    const [after] = cloth({ ...base, room: three, rounds: [...old, ...now] }).threads;
    expect(after?.measured).toEqual({ compute: 2, upload: 0.5 });
    expect(after?.predicted?.compute).toBe(threePlan.assignments[0]?.computeSeconds);
    expect(
      cloth({ ...base, room: three })
        .threads.filter((t) => t.limits)
        .map((t) => t.device),
    ).toEqual([threePlan.limitedBy]);
  });
});

describe('a spare device', () => {
  const shares: readonly Share[] = [
    { place: 0, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 0, count: 8 } },
    { place: 1, layers: [0, 1, 2, 3, 4, 5], samples: { start: 0, count: 8 } },
    { place: 2, layers: [3], samples: { start: 8, count: 0 } },
    { place: 3, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 8, count: 4 } },
  ];
  const planned = { ...plan(6, shares), limitedBy: device(2).id };
  const devices = [2, 0, 3, 1].map((place) => device(place));
  const { threads, samples } = cloth({ ...base, room: room({ devices, plan: planned }) });

  it('hangs after all teams, as thin as none, and limits nobody', () => {
    expect(threads.map(({ mark, team, width }) => [mark.letter, team, width])).toEqual([
      ['A', 0, 1],
      ['B', 0, 1],
      ['D', 1, 1 / 2],
      ['C', 2, 0],
    ]);
    const spare = threads[3]!;
    expect(spare).toMatchObject({ state: 'spare', cells: [], reachRows: 0, samples: null, limits: false });
    expect([spare.predicted, spare.measured]).toEqual([null, null]);
    expect(threads[2]?.samples).toEqual({ start: 8, count: 4 });
    expect(samples).toBe(32);
  });

  it('is a thread of three yarns: 18 pixels in the middle of its column, without a weight', () => {
    // 600 less 8 on both sides and two gaps of 18: four columns of 137; 84 % of it are 115 for all samples, 58 for half of them.
    const { columns } = loom({ rows: [], threads, samples }, 600);
    expect(columns.map(({ x, width }) => [x, width])).toEqual([
      [8, 137],
      [8 + 137, 137],
      [145 + 137 + 18, 137],
      [300 + 137 + 18, 137],
    ]);
    expect(columns.map(({ threadX, threadWidth, x }) => [threadX - x, threadWidth])).toEqual([
      [11, 115],
      [11, 115],
      [40, 58],
      [60, 18],
    ]);
    expect(columns[3]?.yarns).toEqual([515 + 3, 515 + 9, 515 + 15]);
    expect(columns.map(({ weight }) => weight === null)).toEqual([false, false, false, true]);
  });
});

describe('what a thread says of its device', () => {
  const state = (change: Parameters<typeof device>[1]) =>
    cloth({ ...base, room: { ...three, devices: [device(4, change)] } }).threads[0]?.state;

  it.each([
    [
      'failed, though it is gone, too',
      { status: { kind: 'failed', sentence: '!' }, online: false, linked: false },
      'failed',
    ],
    [
      'gone before it was ready',
      { status: { kind: 'loading', done: 1, total: 2 }, online: false, linked: false },
      'away',
    ],
    ['not ready, and not linked yet', { status: { kind: 'loading', done: 1, total: 2 }, linked: false }, 'preparing'],
    ['ready, without a link', { linked: false }, 'unlinked'],
    ['ready, without the server', { online: false }, 'spare'],
  ] as const)('%s', (_, change, want) => {
    expect(state(change)).toBe(want);
  });
});

describe('rounds that are drawn as finished', () => {
  const took = (...seconds: number[]) =>
    rounds(seconds.length, threePlan).map((r, i) => ({ ...r, elapsedSeconds: seconds[i]! }));

  it('take under half a second, as a median of the last five', () => {
    expect(tooQuickToShow([])).toBe(false);
    expect(tooQuickToShow(took(0.49))).toBe(true);
    expect(tooQuickToShow(took(0.5))).toBe(false);
    expect(tooQuickToShow(took(9, 9, 0.1, 0.2, 0.3, 9, 9))).toBe(true);
    expect(tooQuickToShow(took(0.1, 0.1, 0.1, 9, 9, 9, 0.2, 0.3))).toBe(false);
  });

  it('have every block there where none was asked for', () => {
    const activity = { round: 9, devices: [{ device: device(1).id, received: 0, expected: 0 }] };
    expect(states(cloth({ ...base, room: three, activity }).threads[1])).toEqual(['0 woven', '1 woven', '2 woven']);
  });
});
