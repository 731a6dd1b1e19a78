import type { RoundReport, ScoreReport } from '../../../signaling/protocol/room-view.ts';
import * as say from '../../words/take/take.ts';

/** Names that pandas, Weights & Biases and TensorBoard take as they are; `step` is the round. */
const COLUMNS = [
  'step',
  'loss',
  'learning_rate',
  'gradient_norm',
  'seconds',
  'devices',
  'plan',
  'dev_loss',
  'dev_examples',
] as const;

/** A run as CSV: a row for each round and each score, an empty cell where a row has no value. Scores of MNLI's second dev set are left out. */
export function runCsv(rounds: readonly RoundReport[], scores: readonly ScoreReport[]): string {
  const reports = new Map(rounds.map((report) => [report.round, report]));
  const scored = new Map(scores.map((score) => [score.round, score]));
  const metric = scores[0] === undefined ? [] : [`dev_${scores[0].metric}`];
  const steps = [...new Set([...reports.keys(), ...scored.keys()])].toSorted((a, b) => a - b);
  const rows = steps.map((step) => {
    const report = reports.get(step);
    const score = scored.get(step);
    return [
      step,
      report?.loss,
      report?.learningRate,
      report?.gradientNorm,
      report?.elapsedSeconds,
      report && new Set(report.devices.map(({ device }) => device)).size,
      report?.planVersion,
      score?.loss,
      score?.examples,
      ...(metric.length === 0 ? [] : [score?.value]),
    ]
      .map((value) => value ?? '')
      .join(',');
  });
  return `${[[...COLUMNS, ...metric].join(','), ...rows].join('\n')}\n`;
}

/** Python that shows such a file in Weights & Biases. */
export const wandbSnippet = (fileName: string): string =>
  [say.importPandasWandb, 'run = wandb.init(project="tabloom")', say.forRowInPandasRead(fileName), say.runLogKV].join(
    '\n',
  );

/** Python that writes such a file as TensorBoard's events. */
export const tensorBoardSnippet = (fileName: string): string =>
  [
    say.importPandas,
    say.fromTorchUtilsTensorboardImport,
    `writer = SummaryWriter("runs/${fileName.replace(/\.csv$/, '')}")`,
    say.forRowInPandasRead(fileName),
    say.forNameValueInRow,
    say.ifNameStepAndValue,
    'writer.close()',
  ].join('\n');
