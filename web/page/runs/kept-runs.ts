import * as v from 'valibot';
import { METRICS } from '../../../signaling/protocol/scores.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import { metricName, scoreText } from '../../../signaling/protocol/words/metrics.ts';
import { agoText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/take/runs.ts';

/** The latest so many runs are kept; an older one goes for a new one. */
export const MOST_RUNS = 12;
/** Rounds of a run that are kept, evenly spread, the first and the last among them. */
export const MOST_POINTS = 200;
const MOST_SCORES = 400;

const finite = v.pipe(v.number(), v.finite());
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(200));

const KeptRunSchema = v.strictObject({
  id: text,
  atMs: v.pipe(finite, v.minValue(0)),
  task: text,
  model: text,
  metric: v.picklist(METRICS),
  rank: whole,
  learningRate: finite,
  samplesPerRound: whole,
  /** Devices that worked in it. */
  devices: whole,
  rounds: v.pipe(
    v.array(
      v.strictObject({
        round: whole,
        loss: finite,
        learningRate: finite,
        gradientNorm: finite,
        elapsedSeconds: finite,
      }),
    ),
    v.minLength(1),
    v.maxLength(MOST_POINTS),
  ),
  scores: v.pipe(v.array(v.strictObject({ round: whole, value: finite, loss: finite })), v.maxLength(MOST_SCORES)),
});
/** A finished run: settings, thinned rounds and scores. No names, texts or codes but the task's title. */
export type KeptRun = v.InferOutput<typeof KeptRunSchema>;

const KeptRunsSchema = v.pipe(v.array(KeptRunSchema), v.maxLength(MOST_RUNS));

/** None where nothing is kept, or nothing that this version reads. */
export function readRuns(kept: string | null): readonly KeptRun[] {
  if (kept === null) return [];
  try {
    const read = v.safeParse(KeptRunsSchema, JSON.parse(kept));
    return read.success ? read.output : [];
  } catch {
    return [];
  }
}

/** The latest first; a run that is there already is replaced. */
export const withRun = (runs: readonly KeptRun[], run: KeptRun): readonly KeptRun[] =>
  [run, ...runs.filter(({ id }) => id !== run.id)].slice(0, MOST_RUNS);

/** At most `most` of all, evenly spread, with the first and the last. */
export function thinned<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]!);
}

/** The run of a session that is finished; null before that, and without a round. */
export function runOf(
  { room, rounds, scores }: Pick<SessionView, 'room' | 'rounds' | 'scores'>,
  nowMs: number,
): KeptRun | null {
  if (room === null || room.phase !== 'finished' || rounds.length === 0) return null;
  const { task, model, lora, training } = room.settings;
  return {
    ...{ id: room.id, atMs: nowMs, task: task.title, model: model.id, metric: task.metric, rank: lora.rank },
    ...{ learningRate: training.learningRate, samplesPerRound: training.samplesPerRound },
    devices: new Set(rounds.flatMap((report) => report.devices.map(({ device }) => device))).size,
    rounds: thinned(rounds, MOST_POINTS).map(({ round, loss, learningRate, gradientNorm, elapsedSeconds }) => ({
      ...{ round, loss, learningRate, gradientNorm, elapsedSeconds },
    })),
    scores: thinned(scores, MOST_SCORES).map(({ round, value, loss }) => ({ round, value, loss })),
  };
}

/** "SST-2: sentiment of film reviews, roberta-mini": what a run was. */
export const runTitle = ({ task, model }: KeptRun): string => `${task}, ${model.split('/').at(-1)}`;

/** "accuracy 78.0 %, 1,000 rounds of 16, rate 0.001, rank 8, 3 devices; 2 hours ago" */
export function runText(run: KeptRun, nowMs: number): string {
  const score = run.scores.at(-1);
  const rounds = run.rounds.at(-1)?.round ?? 0;
  const parts = [
    ...(score === undefined ? [] : [`${metricName(run.metric)} ${scoreText(run.metric, score.value)}`]),
    say.roundsOf(countText(rounds, say.round, say.rounds), run.samplesPerRound),
    say.rate(Number(run.learningRate.toPrecision(3))),
    say.rank(run.rank),
    countText(run.devices, say.device, say.devices),
  ];
  return `${parts.join(', ')}; ${agoText(nowMs - run.atMs)}`;
}
