import { describe, expect, it } from 'vitest';
import { cloth } from '../../web/page/cloth/cloth.ts';
import { loom } from '../../web/page/cloth/cloth-geometry.ts';
import { device, plan, room, type Share } from './gallery/scenarios.ts';

const SHARES: readonly Share[] = [
  { place: 0, layers: [2, 3] },
  { place: 1, layers: [4, 5], head: true },
  { place: 2, layers: [0, 1] },
];
const threePlan = plan(6, SHARES);
const three = room({ devices: [device(0), device(1), device(2)], plan: threePlan });
const seats = [0, 1, 2, 3, 4, 5].map((place) => device(place).id);
const base = { self: device(1).id, rounds: [], activity: null, seats };
const many = (count: number, layers: number) => {
  const devices = Array.from({ length: count }, (_, place) => device(place));
  const shares = devices.map((_, place): Share => ({ place, layers: [place % layers], head: place === 0 }));
  return cloth({ ...base, room: room({ devices, plan: plan(layers, shares) }, layers) });
};

describe('loom', () => {
  it('scales weights to the slowest, also where all take under a second; without times there is none', () => {
    const drawn = cloth({ ...base, room: three });
    const [first, second] = drawn.threads;
    const quick = [
      { ...first!, predicted: { compute: 0.2, upload: 0.05 }, measured: null },
      { ...second!, predicted: { compute: 0.05, upload: 0 }, measured: { compute: 0.1, upload: 0.4 } },
    ];
    // Half a second is the slowest: 48 pixels.
    const weights = loom({ ...drawn, threads: quick }, 600).columns.map(({ weight }) => weight!);
    expect(weights.map(({ compute }) => compute)).toEqual([expect.closeTo(6 + 19.2), expect.closeTo(6 + 9.6)]);
    expect(weights.map(({ upload }) => upload)).toEqual([expect.closeTo(4.8), expect.closeTo(38.4)]);
    expect(weights.map(({ predicted }) => predicted)).toEqual([expect.closeTo(6 + 24), expect.closeTo(6 + 4.8)]);
    const none = loom(
      { ...drawn, threads: drawn.threads.map((t) => ({ ...t, predicted: null, measured: null })) },
      600,
    );
    expect([none.weightsHeight, none.columns.map(({ weight }) => weight)]).toEqual([0, [null, null, null]]);
    expect(none.height).toBe(none.clothBottom + 18);
  });

  it('is 420 wide for one thread at most, in the middle of the beam, and 30 at least, however many hang there', () => {
    // 884 are there; 464 are left over.
    expect(loom(many(1, 1), 900).columns[0]).toMatchObject({ x: 8 + 232, width: 420, middle: 450 });
    const crowd = loom(many(64, 24), 280);
    expect([crowd.columns[0]?.x, crowd.columns[63]?.x, crowd.width]).toEqual([8, 8 + 63 * 30, 8 + 64 * 30 + 8]);
    // 25 of 30 for all samples.
    expect(crowd.columns[0]).toMatchObject({ width: 30, threadWidth: 25, threadX: 8 + 3 });
    const empty = loom({ rows: [], threads: [], samples: 32 }, 280);
    expect(empty).toMatchObject({ width: 280, columns: [], clothBottom: 66 + 6 + 10, weightsHeight: 0 });
  });

  it('never draws a thread thinner than twelve pixels of two yarns', () => {
    const drawn = many(3, 6);
    const thin = loom({ ...drawn, threads: drawn.threads.map((thread) => ({ ...thread, width: 1 / 64 })) }, 280);
    // 84 % of 88 are 74; a 64th of it is one.
    expect(thin.columns[0]).toMatchObject({ width: 88, threadWidth: 12 });
    expect(thin.columns[0]?.yarns.length).toBe(2);
  });

  it('has lower rows from 15 on, names from 54 pixels on', () => {
    expect([loom(many(3, 13), 280).rowHeight, loom(many(3, 14), 280).rowHeight]).toEqual([36, 26]);
    // Five columns of 54, and of 53.
    expect([loom(many(5, 6), 286).named, loom(many(5, 6), 285).named]).toEqual([true, false]);
  });

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
