import { describe, expect, it } from 'vitest';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { secondsByKind, timeline, toldRounds } from '../../web/page/timeline/timeline.ts';
import { criticalSentence, laneSentence } from '../../web/page/timeline/timeline-words.ts';
import { device, plan, room } from './gallery/scenarios.ts';

const [host, phone, tablet] = [device(0).id, device(1).id, device(2).id];
const devices = [device(0), device(1), device(2)];
const seats = [host, phone, tablet];
const two = plan(6, [
  { place: 0, layers: [0, 1, 2] },
  { place: 1, layers: [3, 4, 5], head: true },
]);
two.assignments[1]!.computeSeconds = 1;
two.assignments[1]!.uploadSeconds = 0.25;
const here = room({ devices, plan: two });

const entry = (id: string, change: Partial<RoundReport['devices'][number]> = {}) => ({
  device: id,
  samples: 16,
  deepestDepth: 3,
  computeSeconds: 0.5,
  uploadSeconds: 0,
  uploadBits: 0,
  startSeconds: 0.25,
  ...change,
});
const report = (change: Partial<RoundReport> = {}): RoundReport => ({
  round: 7,
  planVersion: two.version,
  loss: 0.5,
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 3,
  reassigned: 0,
  stepSeconds: 0.5,
  devices: [
    entry(host),
    entry(phone, { downSeconds: 0.25, computeSeconds: 1.5, uploadSeconds: 0.5, uploadBits: 8000 }),
  ],
  ...change,
});
const shown = (change: Partial<RoundReport> = {}, of = here) => timeline({ report: report(change), room: of, seats });
const spans = (lane: { segments: ReturnType<typeof shown>['lanes'][number]['segments'] } | undefined) =>
  lane?.segments.map(({ kind, startSeconds, endSeconds, critical }) =>
    [kind, startSeconds, endSeconds, ...(critical ? ['critical'] : [])].join(' '),
  );

describe('a round as lanes', () => {
  it('has what each device did and when, waits between, and merge and step with the host', () => {
    const { lanes, critical, seconds } = shown();
    expect([seconds, critical, lanes.map(({ name, host: isHost }) => [name, isHost])]).toEqual([
      3,
      phone,
      [
        ['Linen Shuttle', true],
        ['Pixel 8', false],
      ],
    ]);
    expect(spans(lanes[0])).toEqual([
      'prepare 0 0.25 critical',
      'compute 0.25 0.75',
      'wait 0.75 2.5',
      'step 2.5 3 critical',
    ]);
    expect(spans(lanes[1])).toEqual([
      'wait 0 0.25',
      'down 0.25 0.5 critical',
      'compute 0.5 2 critical',
      'upload 2 2.5 critical',
    ]);
  });

  it('has the predicted end beside the measured one, of rounds of the plan as it is', () => {
    const { lanes } = shown();
    expect(lanes[1]?.predictedEndSeconds).toBe(0.25 + 1 + 0.25);
    expect(shown({ planVersion: two.version - 1 }).lanes.map((lane) => lane.predictedEndSeconds)).toEqual([null, null]);
  });

  it('adds no time that an older report does not tell', () => {
    const [first, second] = report().devices.map(({ startSeconds: _, downSeconds: __, ...rest }) => rest);
    const { stepSeconds: _, ...old } = { ...report(), devices: [first!, second!] };
    const { lanes } = timeline({ report: old, room: here, seats });
    expect(spans(lanes[0])).toEqual(['compute 0 0.5', 'wait 0.5 3']);
    expect(spans(lanes[1])).toEqual(['compute 0 1.5 critical', 'upload 1.5 2 critical', 'wait 2 3']);
  });

  it('shows work that was taken over where it was done, and who left since without a mark', () => {
    const { lanes } = shown({
      devices: [
        entry(host),
        entry(host, { startSeconds: 1, computeSeconds: 1 }),
        entry('gone', { computeSeconds: 0.25 }),
      ],
    });
    expect(spans(lanes[0])).toContain('compute 1 2 critical');
    expect(lanes[1]).toMatchObject({ device: 'gone', name: 'a device that left', mark: null });
    expect(spans(lanes[1])).toEqual(['wait 0 0.25', 'compute 0.25 0.5', 'wait 0.5 2.5']);
  });

  it('has a stage’s passes, each micro-batch by itself, where they are told', () => {
    const passes = [
      { microBatch: 0, direction: 'up' as const, startSeconds: 0.5, seconds: 0.25 },
      { microBatch: 1, direction: 'up' as const, startSeconds: 0.75, seconds: 0.25 },
      { microBatch: 0, direction: 'down' as const, startSeconds: 1.5, seconds: 0.5 },
    ];
    const { lanes } = shown({ devices: [entry(phone, { downSeconds: 0.25, computeSeconds: 1.5, passes })] });
    expect(lanes[1]?.segments.map(({ kind, microBatch }) => [kind, microBatch])).toEqual([
      ['wait', null],
      ['down', null],
      ['forward', 0],
      ['forward', 1],
      ['wait', null],
      ['backward', 0],
      ['wait', null],
    ]);
    expect(secondsByKind(lanes[1]!)).toContainEqual(['forward', 0.5]);
  });

  it('has what stages sent each other, from the pass that made it until the neighbour had it', () => {
    const [up, down] = ['up' as const, 'down' as const];
    const below = [
      { microBatch: 0, direction: up, startSeconds: 0.25, seconds: 0.25 },
      { microBatch: 1, direction: up, startSeconds: 0.5, seconds: 0.25 },
      { microBatch: 0, direction: down, startSeconds: 2, seconds: 0.25, cameSeconds: 1.75 },
      // Its gradient had come before, by clocks that differ: no time at all.
      { microBatch: 1, direction: down, startSeconds: 2.25, seconds: 0.25, cameSeconds: 1.5 },
    ];
    const above = [
      { microBatch: 0, direction: up, startSeconds: 1, seconds: 0.25, cameSeconds: 0.75 },
      { microBatch: 0, direction: down, startSeconds: 1.25, seconds: 0.25 },
      { microBatch: 1, direction: up, startSeconds: 1.5, seconds: 0.125, cameSeconds: 1.25 },
      { microBatch: 1, direction: down, startSeconds: 1.625, seconds: 0.125 },
    ];
    const split = plan(6, [
      { place: 1, layers: [3, 4, 5], head: true },
      { place: 2, layers: [0, 1, 2] },
    ]);
    for (const [index, i] of [1, 0].entries()) {
      const run = index === 0 ? { from: 0, to: 4, window: 2 } : { from: 4, to: 8, window: 1 };
      Object.assign(split.assignments[i]!, { stage: { pipeline: 0, index, ...run, microBatches: 2 } });
    }
    // In any order; under another version of the plan, but by the same devices.
    const told = [entry(phone, { passes: above }), entry(tablet, { passes: below })];
    const { lanes } = shown({ devices: told, planVersion: 77 }, room({ devices, plan: split }));
    const sends = (device: string) =>
      lanes
        .find((lane) => lane.device === device)
        ?.sends.map((one) => [one.kind, one.microBatch, one.startSeconds, one.endSeconds]);
    expect(sends(tablet)).toEqual([
      ['send-up', 0, 0.5, 0.75],
      ['send-up', 1, 0.75, 1.25],
    ]);
    expect(sends(phone)).toEqual([
      ['send-down', 0, 1.5, 1.75],
      ['send-down', 1, 1.75, 1.75],
    ]);
    expect(secondsByKind(lanes.find((lane) => lane.device === tablet)!)).toContainEqual(['send-up', 0.75]);
    // Nobody is known to be above anybody in a round of other devices.
    const others = shown({ devices: told }, here);
    expect(others.lanes.flatMap((lane) => lane.sends)).toEqual([]);
  });

  it('has a stage send its gradients after its last pass, however long it waited before', () => {
    const passes = [
      { microBatch: 0, direction: 'up' as const, startSeconds: 0.75, seconds: 0.25 },
      { microBatch: 0, direction: 'down' as const, startSeconds: 1.5, seconds: 0.25 },
    ];
    const stage = entry(phone, { downSeconds: 0.25, computeSeconds: 0.5, uploadSeconds: 0.25, passes });
    // Over before the stage is, and longer at work than it.
    const { lanes, critical } = shown({ devices: [entry(host, { computeSeconds: 1.25 }), stage] });
    expect(critical).toBe(phone);
    expect(spans(lanes[1])).toEqual([
      'wait 0 0.25',
      'down 0.25 0.5 critical',
      'wait 0.5 0.75',
      'forward 0.75 1 critical',
      'wait 1 1.5',
      'backward 1.5 1.75 critical',
      'upload 1.75 2 critical',
      'wait 2 2.5',
    ]);
  });

  it('has the host even where it trains nothing, and nothing critical where nobody did anything', () => {
    expect(shown({ devices: [entry(phone)] }).lanes.map(({ device: id }) => id)).toEqual([host, phone]);
    expect(shown({ devices: [] })).toMatchObject({ critical: null });
  });
});

describe('in words', () => {
  it('is what a device’s seconds and bytes were', () => {
    expect(laneSentence(shown().lanes[1]!)).toBe(
      'Pixel 8: waiting 0.25 s, parameters down 0.25 s, computing 1.5 s, gradients up 0.50 s; 1.0 kB sent; predicted to end at 1.5 s.',
    );
  });

  it('is who decided how long the round was', () => {
    expect(criticalSentence(shown())).toBe(
      'Round 7 took 3.0 s. Pixel 8 decided it: 0.25 s parameters down, 1.5 s computing and 0.50 s gradients up, then 0.50 s merge and step.',
    );
    expect(criticalSentence(shown({ devices: [] }))).toBe('Round 7 took 3.0 s.');
  });
});

describe('toldRounds', () => {
  it('are the last fifty, but those of which nobody tells who did what', () => {
    const many = Array.from({ length: 70 }, (_, i) => report({ round: i + 1, ...(i < 40 && { devices: [] }) }));
    expect(toldRounds(many).map(({ round }) => round)).toEqual(Array.from({ length: 30 }, (_, i) => i + 41));
    expect(toldRounds(many.map((one) => ({ ...one, devices: report().devices })))).toHaveLength(50);
  });
});
