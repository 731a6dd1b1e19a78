import { describe, expect, it } from 'vitest';
import type { ScoreReport } from '../../signaling/protocol/room-view.ts';
import { laidRuns } from '../../web/page/curve/laid-runs.ts';
import { overlaid } from '../../web/page/curve/overlay.ts';
import { markText, runMarks } from '../../web/page/curve/run-marks.ts';
import { curves } from '../../web/page/curve/scores.ts';
import {
  type KeptRun,
  MOST_POINTS,
  MOST_RUNS,
  readRuns,
  runOf,
  runText,
  runTitle,
  thinned,
  withRun,
} from '../../web/page/runs/kept-runs.ts';
import { runCsv, tensorBoardSnippet, wandbSnippet } from '../../web/page/take/run-csv.ts';
import { device, plan, room, rounds } from './gallery/scenarios.ts';

const HOUR_MS = 3_600_000;
const one = plan(6, [{ place: 0, layers: [5], head: true }]);
const score = (round: number, value: number): ScoreReport => ({
  ...{ round, metric: 'accuracy', value, loss: 0.5, constant: 0.51, examples: 872, elapsedSeconds: 1 },
});
const run = (id: string, change: Partial<KeptRun> = {}): KeptRun => ({
  ...{ id, atMs: HOUR_MS, task: 'SST-2: sentiment', model: 'FacebookAI/roberta-base', metric: 'accuracy', rank: 8 },
  ...{ learningRate: 5e-4, samplesPerRound: 16, devices: 3 },
  rounds: [{ round: 1, loss: 0.7, learningRate: 1e-4, gradientNorm: 1, elapsedSeconds: 2 }],
  scores: [{ round: 1, value: 0.78, loss: 0.6 }],
  ...change,
});

describe('marks of a run', () => {
  const report = (round: number, planVersion: number, ...devices: string[]) => ({
    ...{ round, planVersion, devices: devices.map((device) => ({ device })) },
  });

  it('stand where the plan or the devices are others than in the round before', () => {
    const marks = runMarks([
      report(1, 1, 'a', 'b'),
      report(2, 1, 'a', 'b', 'b'),
      report(3, 2, 'a', 'b', 'c'),
      report(9, 2, 'a', 'c'),
      report(10, 3, 'a', 'c'),
    ]);
    expect(marks).toEqual([
      { round: 3, plan: true, came: ['c'], went: [] },
      { round: 9, plan: false, came: [], went: ['b'] },
      { round: 10, plan: true, came: [], went: [] },
    ]);
    expect(runMarks([])).toEqual([]);
  });

  it('are told with names', () => {
    const names: Record<string, string> = { a: 'Pixel 8', b: 'ThinkPad' };
    const text = markText({ round: 3, plan: true, came: ['a'], went: ['b'] }, (id) => names[id] ?? id);
    expect(text).toBe('a new plan, Pixel 8 begins, ThinkPad takes no part');
  });
});

describe('runs laid over each other', () => {
  const points = (...at: [number, number][]) =>
    at.map(([round, loss]) => ({ round, loss, learningRate: 0, gradientNorm: 0, elapsedSeconds: 0 }));

  it('share one axis of rounds, each with its own points', () => {
    const own = curves(points([1, 4], [3, 2]), [{ round: 3, value: 0.6, loss: 0.9, constant: 0.5 }]);
    const other = curves(points([2, 8]), [{ round: 2, value: 0.7, loss: 0.8 }]);
    const { rounds: axis, columns } = overlaid(own, [other]);
    expect(axis).toEqual([1, 2, 3]);
    expect(columns).toEqual([
      [4, null, 2],
      [4, null, expect.closeTo((0.9 * 4 + 2) / 1.9, 12)],
      [null, null, 0.9],
      [null, null, 0.6],
      [0.5, null, 0.5],
      [null, 8, null],
      [null, 0.7, null],
    ]);
  });

  it('have scores only where they were scored alike, and the colour of their place', () => {
    const runs = [run('x'), run('y', { metric: 'f1' }), run('z')];
    const laid = laidRuns(runs, ['z', 'y'], 'loss', 'accuracy');
    expect(laid.map(({ token }) => token)).toEqual(['--yarn-3', '--yarn-4']);
    expect(laid.map(({ data }) => data.score)).toEqual([[null], [0.78]]);
    expect(laidRuns(runs, ['x'], 'seconds', 'accuracy')[0]?.data.loss).toEqual([2]);
  });

  it('show the dev loss beside the loss and beside nothing else', () => {
    expect(curves([], [score(5, 0.7)]).devLoss).toEqual([0.5]);
    expect(curves([], [score(5, 0.7)], 'norm').devLoss).toEqual([null]);
  });
});

describe('finished runs', () => {
  const finished = (count: number) => ({
    ...{ room: room({ devices: [device(0)], plan: one, phase: 'finished' }), rounds: rounds(count, one) },
    scores: [score(0, 0.5), score(count, 0.8)],
  });

  it('are kept with their settings once they are finished, and not before', () => {
    const kept = runOf(finished(30), 7)!;
    const { settings } = finished(1).room;
    expect(kept).toMatchObject({ atMs: 7, model: settings.model.id, metric: settings.task.metric, devices: 1 });
    expect(kept.rounds).toHaveLength(30);
    expect(kept.scores).toEqual([
      { round: 0, value: 0.5, loss: 0.5 },
      { round: 30, value: 0.8, loss: 0.5 },
    ]);
    expect(runOf({ ...finished(30), room: { ...finished(1).room, phase: 'training' } }, 7)).toBeNull();
    expect(runOf({ ...finished(30), rounds: [] }, 7)).toBeNull();
    expect(readRuns(JSON.stringify([kept]))).toEqual([kept]);
  });

  it('are thinned evenly, with the first and the last round', () => {
    const kept = runOf(finished(1000), 7)!;
    expect(kept.rounds).toHaveLength(MOST_POINTS);
    expect([kept.rounds[0]?.round, kept.rounds.at(-1)?.round]).toEqual([1, 1000]);
    expect(thinned([1, 2, 3, 4, 5], 3)).toEqual([1, 3, 5]);
    expect(thinned([1, 2], 3)).toEqual([1, 2]);
  });

  it('come the latest first, each once, so many at most', () => {
    const many = Array.from({ length: MOST_RUNS }, (_, i) => run(`r${i}`));
    expect(withRun(many, run('new')).map(({ id }) => id)).toEqual(['new', ...many.slice(0, -1).map(({ id }) => id)]);
    expect(withRun(many, run('r3', { rank: 4 })).filter(({ id }) => id === 'r3')).toMatchObject([{ rank: 4 }]);
  });

  it('are none where storage holds something else', () => {
    for (const text of [null, '', '{', '{}', '[{}]', JSON.stringify([run('x', { rounds: [] })])])
      expect(readRuns(text)).toEqual([]);
  });

  it('are told in a line', () => {
    expect(runTitle(run('x'))).toBe('SST-2: sentiment, roberta-base');
    expect(runText(run('x'), 3 * HOUR_MS)).toBe(
      'accuracy 78.0 %, 1 round of 16, rate 0.0005, rank 8, 3 devices; 2 hours ago',
    );
  });
});

describe('a run as CSV', () => {
  it('has a row for each round and each score, empty where there is no value', () => {
    const reports = rounds(2, one).map((report, i) => ({
      ...{ ...report, loss: 0.5 + i, learningRate: 1e-3, gradientNorm: 2, elapsedSeconds: 1.5, planVersion: 4 },
    }));
    expect(runCsv(reports, [score(0, 0.5), score(2, 0.75)])).toBe(
      [
        'step,loss,learning_rate,gradient_norm,seconds,devices,plan,dev_loss,dev_examples,dev_accuracy',
        '0,,,,,,,0.5,872,0.5',
        '1,0.5,0.001,2,1.5,1,4,,,',
        '2,1.5,0.001,2,1.5,1,4,0.5,872,0.75',
        '',
      ].join('\n'),
    );
    expect(runCsv([], [])).toBe('step,loss,learning_rate,gradient_norm,seconds,devices,plan,dev_loss,dev_examples\n');
  });

  it('is opened by name', () => {
    expect(wandbSnippet('a-b.csv')).toContain('read_csv("a-b.csv")');
    expect(tensorBoardSnippet('a-b.csv')).toContain('SummaryWriter("runs/a-b")');
  });
});
