import { describe, expect, test } from 'vitest';
import { drawsFrom } from '../../../signaling/planner/algorithms/random.ts';
import { Evaluator } from '../../../signaling/planner/pipelines/evaluator.ts';
import { rowsOf } from '../../../signaling/planner/pipelines/rows.ts';
import { placedStages, ruleOf } from '../../../signaling/planner/replicas/answer.ts';
import { operationsOf, replayed, schedule } from '../../../signaling/protocol/pipeline/schedule.ts';
import {
  type StageTimes,
  stageTimes,
  WINDOW_RULES,
  type WindowRule,
} from '../../../signaling/protocol/pipeline/stages.ts';
import { secondsByEvents } from './by-events.ts';
import { drawnPipeline, drawnProblem } from './draws.ts';

/** S stages that are all alike, all trained; windows by the rule, memory no matter. */
function alike(
  stages: number,
  microBatches: number,
  { forward = 0, backward = 0, up = 0, down = 0 },
  rule: WindowRule,
): StageTimes[] {
  const each = (seconds: number) => new Array<number>(microBatches).fill(seconds);
  return Array.from({ length: stages }, (_, s) => ({
    forwardSeconds: each(forward),
    backwardSeconds: each(backward),
    upSeconds: each(s < stages - 1 ? up : 0),
    downSeconds: s > 0 ? each(down) : null,
    lagSeconds: 0,
    gradientSeconds: null,
    window: Math.min(microBatches, rule === 'all' ? microBatches : rule * (stages - 1 - s) + 1),
  }));
}

describe('known rounds', () => {
  test.each(WINDOW_RULES)('equal stages without transfers take (M + S - 1)(f + b), windows by rule %s', (rule) => {
    for (const [S, M, f, b] of [
      [1, 1, 1, 2],
      [1, 7, 0.5, 1],
      [3, 8, 1, 2],
      [4, 4, 3, 1],
      [5, 2, 1, 1],
    ])
      expect(schedule(alike(S, M, { forward: f, backward: b }, rule)).seconds).toBe((M + S - 1) * (f + b));
  });

  test('only the head trained, and free: the last stage waits for M micro-batches, (M + S - 1) f', () => {
    const stages = alike(4, 6, { forward: 1.5 }, 1).map((times, s) =>
      s < 3 ? { ...times, window: 0, downSeconds: null } : { ...times, downSeconds: null },
    );
    expect(schedule(stages).seconds).toBe((6 + 4 - 1) * 1.5);
  });

  test('only the last stage trained: (S - 1) f + M (f + b)', () => {
    const stages = alike(4, 6, { forward: 1, backward: 2 }, 1).map((times, s) =>
      s < 3 ? { ...times, window: 0, downSeconds: null } : { ...times, downSeconds: null },
    );
    expect(schedule(stages).seconds).toBe(3 * 1 + 6 * 3);
    expect(schedule(stages).stages.map(({ backward }) => backward.length)).toEqual([0, 0, 0, 6]);
  });

  test.each<[WindowRule, number]>([
    [1, 41],
    [2, 36],
    ['all', 36],
  ])('transfers of half a second each way, S = 4, M = 8: windows by rule %s make it %d s', (rule, seconds) => {
    const times = { forward: 1, backward: 2, up: 0.5, down: 0.5 };
    expect(schedule(alike(4, 8, times, rule)).seconds).toBe(seconds);
    // (M + S - 1)(f + b) + (S - 1)(x + z)
    if (rule !== 1) expect(seconds).toBe((8 + 4 - 1) * 3 + 3 * 1);
  });

  test.each<[WindowRule, number]>([
    [1, 84],
    [2, 74],
    ['all', 81],
  ])('slow uplinks, x = z = 4 s, S = 3, M = 8: windows by rule %s make it %d s', (rule, seconds) => {
    expect(schedule(alike(3, 8, { forward: 1, backward: 2, up: 4, down: 4 }, rule)).seconds).toBe(seconds);
  });

  test('two stages by hand: every span, the uplink one message at a time, gradients last and late by the lag', () => {
    // F1 0-1, F2 1-2; up takes 2 s: 1-3, 3-5, each 0.5 s late; above F 3.5-4.5, B 4.5-6.5, down 6.5-7.5 ...
    const below: StageTimes = {
      forwardSeconds: [1, 1],
      backwardSeconds: [3, 3],
      upSeconds: [2, 2],
      downSeconds: null,
      lagSeconds: 0.5,
      gradientSeconds: 4,
      window: 2,
    };
    const above: StageTimes = {
      forwardSeconds: [1, 1],
      backwardSeconds: [2, 2],
      upSeconds: [0, 0],
      downSeconds: [1, 1],
      lagSeconds: 0.25,
      gradientSeconds: null,
      window: 1,
    };
    const span = (startSeconds: number, endSeconds: number) => ({ startSeconds, endSeconds });
    expect(schedule([below, above])).toEqual({
      seconds: 18.25,
      stages: [
        {
          forward: [span(0, 1), span(1, 2)],
          up: [span(1, 3), span(3, 5)],
          backward: [span(7.75, 10.75), span(10.75, 13.75)],
          down: [],
          gradients: span(13.75, 17.75),
          finishedSeconds: 18.25,
        },
        {
          forward: [span(3.5, 4.5), span(6.5, 7.5)],
          up: [],
          backward: [span(4.5, 6.5), span(7.5, 9.5)],
          down: [span(6.5, 7.5), span(9.5, 10.5)],
          gradients: null,
          finishedSeconds: 9.5,
        },
      ],
    });
  });

  test('a stage goes ahead by its window, then by turns; one that trains nothing only forward', () => {
    const short = (window: number) =>
      operationsOf(4, window)
        .map(({ kind, microBatch }) => `${kind === 'forward' ? 'F' : 'B'}${microBatch + 1}`)
        .join(' ');
    expect(short(1)).toBe('F1 B1 F2 B2 F3 B3 F4 B4');
    expect(short(2)).toBe('F1 F2 B1 F3 B2 F4 B3 B4');
    expect(short(4)).toBe('F1 F2 F3 F4 B1 B2 B3 B4');
    expect(short(0)).toBe('F1 F2 F3 F4');
  });

  test('windows that grow towards the loss would wait for each other for ever, and are refused', () => {
    const [below, above] = alike(2, 4, { forward: 1, backward: 1 }, 1);
    expect(() =>
      schedule([
        { ...below, window: 1 },
        { ...above, window: 2 },
      ]),
    ).toThrow('the windows of the stages grow towards the loss');
  });
});

describe('a stage that is done again', () => {
  const three = alike(3, 4, { forward: 1, backward: 2 }, 1);

  test('lost before anything began, and taken at once: the round as it would have been', () => {
    expect(replayed(three, three, { place: 1, lostSeconds: -1, startSeconds: 0 }).seconds).toBe(
      schedule(three).seconds,
    );
  });

  test('lost before anything began, and taken after 5 s: its first pass begins then, and all else follows', () => {
    const { stages, seconds } = replayed(three, three, { place: 0, lostSeconds: -1, startSeconds: 5 });
    expect(stages[0].forward[0]).toEqual({ startSeconds: 5, endSeconds: 6 });
    expect(seconds).toBe(schedule(three).seconds + 5);
  });

  test('lost at the end: the taker goes through its own passes, and nobody else does anything again', () => {
    const before = schedule(three);
    const { stages, seconds } = replayed(three, three, { place: 1, lostSeconds: 100, startSeconds: 100 });
    expect(stages[0]).toEqual(before.stages[0]);
    expect(stages[2]).toEqual(before.stages[2]);
    // Four micro-batches, 3 s each, nothing to wait for.
    expect(seconds).toBe(100 + 4 * 3);
  });

  test('what comes again comes one message after the other, and late by the lag', () => {
    const slow = alike(2, 2, { forward: 1, backward: 2, up: 4, down: 0 }, 1).map((times) => ({
      ...times,
      lagSeconds: 0.5,
    }));
    const { stages } = replayed(slow, slow, { place: 1, lostSeconds: 100, startSeconds: 50 });
    expect(stages[1].forward).toEqual([
      { startSeconds: 54.5, endSeconds: 55.5 },
      { startSeconds: 58.5, endSeconds: 59.5 },
    ]);
  });

  test('is never done sooner than the round would have been, nor sooner by being taken later', () => {
    for (const { draws, times } of fitting(100, 5)) {
      const { seconds } = schedule(times);
      const place = draws.below(times.length);
      const lostSeconds = draws.uniform() * seconds;
      const late = (startSeconds: number) => replayed(times, times, { place, lostSeconds, startSeconds });
      expect(late(lostSeconds).seconds).toBeGreaterThanOrEqual(seconds * (1 - 1e-12));
      expect(late(lostSeconds + 1).seconds).toBeGreaterThanOrEqual(late(lostSeconds).seconds);
      expect(late(lostSeconds).stages[place].finishedSeconds).toBeGreaterThan(lostSeconds);
    }
  });
});

/** Random pipelines that fit, with their stages' times. */
function* fitting(count: number, seed: number) {
  const draws = drawsFrom(seed);
  for (let found = 0; found < count; ) {
    const problem = drawnProblem(draws, 4);
    const pipeline = drawnPipeline(draws, problem);
    const { microBatches, rule } = pipeline;
    const times = stageTimes(problem, placedStages(problem, pipeline), microBatches, ruleOf(rule));
    const evaluator = new Evaluator(rowsOf(problem));
    expect(evaluator.load(pipeline)).toBe(times !== null);
    if (times === null) continue;
    found++;
    yield { draws, times, evaluator, problem, pipeline };
  }
}

describe('random pipelines', () => {
  test("a thousand: the trace, the search's own simulation and the game of servers take the same time to the bit", () => {
    for (const { times, evaluator } of fitting(1000, 1)) {
      const { seconds } = schedule(times);
      expect(secondsByEvents(times)).toBe(seconds);
      expect(evaluator.seconds()).toBeCloseTo(seconds, 12);
      expect(evaluator.seconds(seconds * (1 + 1e-9))).toBe(evaluator.seconds());
      expect(evaluator.seconds(seconds * (1 - 1e-9))).toBe(Infinity);
    }
  });

  test('a plan takes no less than its bound, which is near', () => {
    let sum = 0;
    for (const { evaluator } of fitting(1000, 2)) {
      const seconds = evaluator.seconds();
      expect(evaluator.bound()).toBeLessThanOrEqual(seconds * (1 + 1e-12));
      sum += evaluator.bound() / seconds;
    }
    expect(sum / 1000).toBeGreaterThan(0.9);
  });

  test('more seconds anywhere never make a round shorter', () => {
    for (const { draws, times } of fitting(300, 3)) {
      const before = schedule(times).seconds;
      const s = draws.below(times.length);
      const slower = (values: readonly number[]) => values.map((x) => x * (1 + draws.uniform()));
      const one = times[s];
      const changed: StageTimes[] = [
        { ...one, forwardSeconds: slower(one.forwardSeconds) },
        { ...one, backwardSeconds: slower(one.backwardSeconds) },
        { ...one, upSeconds: slower(one.upSeconds) },
        { ...one, downSeconds: one.downSeconds && slower(one.downSeconds) },
        { ...one, lagSeconds: one.lagSeconds + draws.uniform() },
        { ...one, gradientSeconds: one.gradientSeconds === null ? null : one.gradientSeconds * 2 },
      ];
      for (const stage of changed) expect(schedule(times.with(s, stage)).seconds).toBeGreaterThanOrEqual(before);
    }
  });

  test('nothing starts before what it needs: order of operations, arrivals, one message at a time', () => {
    for (const { times } of fitting(200, 4)) {
      const { stages } = schedule(times);
      for (const [s, stage] of stages.entries()) {
        const { window, lagSeconds } = times[s];
        const run = operationsOf(stage.forward.length, window).map(({ kind, microBatch }) => stage[kind][microBatch]);
        for (const [i, span] of run.entries())
          if (i > 0) expect(span.startSeconds).toBeGreaterThanOrEqual(run[i - 1].endSeconds);
        for (const [j, span] of (stages[s + 1]?.forward ?? []).entries())
          expect(span.startSeconds).toBeGreaterThanOrEqual(stage.up[j].endSeconds + lagSeconds);
        for (const [j, span] of stage.down.entries())
          expect(stages[s - 1].backward[j].startSeconds).toBeGreaterThanOrEqual(span.endSeconds + lagSeconds);
        const sent = [...stage.up, ...stage.down, ...(stage.gradients ? [stage.gradients] : [])];
        sent.sort((a, b) => a.startSeconds - b.startSeconds);
        for (const [i, span] of sent.entries())
          if (i > 0) expect(span.startSeconds).toBeGreaterThanOrEqual(sent[i - 1].endSeconds);
      }
    }
  });
});
