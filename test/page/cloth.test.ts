import { describe, expect, it } from 'vitest';
import { assignedRows, cloth, hasWork, type Thread } from '../../web/page/cloth/cloth.ts';
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

describe('loom', () => {
  it('spreads a thread’s yarns evenly between its edges, half a pitch from both', () => {
    for (const column of loom(cloth({ ...base, room: three }), 900).columns) {
      const { yarns, threadX, threadWidth, x, width, middle } = column;
      const pitch = threadWidth / yarns.length;
      expect(yarns.length).toBe(Math.round(threadWidth / 6));
      expect(yarns[0]).toBeCloseTo(threadX + pitch / 2, 9);
      expect(yarns.at(-1)).toBeCloseTo(threadX + threadWidth - pitch / 2, 9);
      expect(middle).toBe(x + width / 2);
      expect(Math.abs(threadX + threadWidth / 2 - middle)).toBeLessThanOrEqual(0.5);
    }
  });

  const many = (count: number, layers: number) => {
    const devices = Array.from({ length: count }, (_, place) => device(place));
    const shares = devices.map((_, place): Share => ({ place, layers: [place % layers], head: place === 0 }));
    return cloth({ ...base, room: room({ devices, plan: plan(layers, shares) }, layers) });
  };

  it('fits three threads into a phone and names them', () => {
    const shape = loom(many(3, 6), 280);
    expect(shape.width).toBe(280);
    expect(shape.named).toBe(true);
    expect(shape.columns.every((column) => column.x >= 0 && column.x + column.width <= 280)).toBe(true);
  });

  it.each([
    [1, 1],
    [3, 6],
    [8, 12],
    [25, 24],
    [64, 24],
  ])('keeps %d threads over %d layers apart', (count, layers) => {
    const shape = loom(many(count, layers), 280);
    expect(shape.columns).toHaveLength(count);
    expect(shape.rowY).toHaveLength(layers + 1);
    for (const [i, column] of shape.columns.entries()) {
      expect(column.threadX).toBeGreaterThanOrEqual(column.x);
      expect(column.threadX + column.threadWidth).toBeLessThanOrEqual(column.x + column.width);
      if (i > 0) expect(column.x).toBeGreaterThanOrEqual(shape.columns[i - 1]!.x + shape.columns[i - 1]!.width);
      expect(column.x + column.width).toBeLessThanOrEqual(shape.width);
    }
    expect(shape.rowY.at(-1)! + shape.cellHeight).toBeLessThanOrEqual(shape.clothBottom);
  });

  it('leaves room for names above the beam only where names are shown', () => {
    const [wide, narrow] = [loom(many(3, 6), 280), loom(many(8, 12), 280)];
    expect([wide.named, wide.beamY, narrow.named, narrow.beamY]).toEqual([true, 66, false, 44]);
    // The beam is 6, and 10 lie below it; rows of 36 with 4 between.
    expect([wide.rowY[0], wide.rowHeight, wide.cellHeight]).toEqual([66 + 6 + 10 + 2, 36, 32]);
    expect(loom(many(3, 14), 280).rowHeight).toBe(26);
  });

  it('is wider than its frame only when threads would get too thin', () => {
    expect(loom(many(8, 12), 280).width).toBe(280);
    expect(loom(many(64, 24), 280).width).toBeGreaterThan(64 * 30);
  });

  it('hangs the longest weight on the slowest device', () => {
    const shape = loom(cloth({ ...base, room: three }), 600);
    const heights = shape.columns.map(({ weight }) => weight!.compute + weight!.upload);
    const slowest = three.devices.findIndex((one) => one.id === threePlan.limitedBy);
    expect(heights.indexOf(Math.max(...heights))).toBe(slowest);
  });

  it('draws weights in one scale: 48 pixels for the seconds of the slowest, 6 more for computing', () => {
    const [first, second] = cloth({ ...base, room: three }).threads;
    const { columns, weightsHeight, weightsY, height, clothBottom } = loom(
      {
        ...cloth({ ...base, room: three }),
        threads: [
          { ...first!, predicted: { compute: 1, upload: 0.5 }, measured: { compute: 2, upload: 1 } },
          { ...second!, predicted: { compute: 3, upload: 1 }, measured: null },
        ],
      },
      600,
    );
    // The slowest is what is predicted of the second: 4 s are 48 pixels.
    expect(columns.map(({ weight }) => weight)).toEqual([
      { compute: 6 + 24, upload: 12, predicted: 6 + 18 },
      { compute: 6 + 36, upload: 12, predicted: 6 + 48 },
    ]);
    // 22 below for the seconds in words; 18 of string above.
    expect([weightsHeight, weightsY - clothBottom, height - weightsY]).toEqual([6 + 48 + 22, 18, 6 + 48 + 22]);
  });

  it('lays columns of equal width side by side, a gap of 18 between teams, what is left over on both sides', () => {
    const one = cloth({ ...base, room: three });
    const shape = loom({ ...one, threads: one.threads.map((thread, i) => ({ ...thread, team: i < 2 ? 0 : 1 })) }, 600);
    // 600 less 8 on both sides and the gap are 566: three times 188, and 2 left over.
    expect(shape.columns.map(({ x, width }) => [x, width])).toEqual([
      [8 + 1, 188],
      [9 + 188, 188],
      [197 + 188 + 18, 188],
    ]);
    expect(shape.width).toBe(600);
  });
});
