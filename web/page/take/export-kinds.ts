import { adapterParameterCount, headParameterCount } from '../../../signaling/protocol/adapters.ts';
import type { ModelShape, SessionSettings } from '../../../signaling/protocol/settings.ts';
import { measureText, metricName } from '../../../signaling/protocol/words/metrics.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/take/take.ts';
import { OWN_TASK } from '../parts/choices.ts';

/** What a host can take out of a session, in the order in which the page offers it. */
export const EXPORT_KINDS = ['adapter', 'merged', 'onnx', 'checkpoint', 'log', 'curves'] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

export interface ExportWords {
  readonly label: string;
  /** What opens it, in one sentence. */
  readonly opens: string;
}

export const EXPORT_WORDS: Readonly<Record<ExportKind, ExportWords>> = {
  adapter: { label: say.adapter, opens: say.huggingFacePeftPuts },
  merged: { label: say.mergedModel, opens: say.huggingFaceTransformersOpens },
  onnx: { label: say.onnxModel, opens: say.onnxruntimeAndTransformersJsRun },
  checkpoint: {
    label: say.checkpoint,
    opens: say.tabloomsStartPageGoes,
  },
  log: { label: say.runLog, opens: say.oneJsonObjectALine },
  curves: {
    label: say.curves,
    opens: say.csvARowARound,
  },
};

/** What opens it, and what else must be known before it is passed on. */
export function opensText(kind: ExportKind, { task }: Pick<SessionSettings, 'task'>): string {
  const { opens } = EXPORT_WORDS[kind];
  return kind === 'checkpoint' && task.id === OWN_TASK ? say.yourExamples(opens) : opens;
}

const BYTES_PER_VALUE = 4;

/** Bytes to expect, or null where it depends on what has happened; headers and small files are not counted. */
export function expectedBytes(kind: ExportKind, { shape, lora, task }: SessionSettings): number | null {
  const head = headParameterCount(shape, task.labelCount);
  if (kind === 'adapter') return BYTES_PER_VALUE * (adapterParameterCount(shape, lora) + head);
  if (kind === 'merged' || kind === 'onnx') return BYTES_PER_VALUE * (encoderParameterCount(shape) + head);
  return null;
}

/** Values of a RoBERTa encoder without its head: embeddings with their LayerNorm, and the layers. */
function encoderParameterCount({ layers, hiddenSize: c, ffnSize: f, vocabSize, maxPositions }: ModelShape): number {
  const embeddings = (vocabSize + maxPositions + 1) * c + 2 * c;
  const layer = 4 * (c * c + c) + (2 * c * f + f + c) + 4 * c;
  return embeddings + layers * layer;
}

/** "about 9.2 MB", or '' when it cannot be told yet. */
export function expectedText(kind: ExportKind, settings: SessionSettings): string {
  const bytes = expectedBytes(kind, settings);
  return bytes === null ? '' : say.about(bytesText(bytes));
}

/** The two adapters to choose between; null while the best is the last, or nothing was scored. */
export function adapterChoices({
  best,
  rounds,
  room,
}: Pick<SessionView, 'best' | 'rounds' | 'room'>):
  | readonly { readonly value: 'best' | 'last'; readonly label: string }[]
  | null {
  const last = rounds.at(-1)?.round;
  if (best === null || room === null || last === undefined || best.round === last) return null;
  return [
    {
      value: 'best',
      label: say.theBest(
        metricName(best.by),
        measureText(best.by, best.value),
        best.round === 0 ? say.beforeTrainingWithin : say.roundWithRound(best.round),
      ),
    },
    { value: 'last', label: say.theLastRound(last) },
  ];
}

/** "roberta-mini-sst2": what the names of all files begin with. */
export function sessionName({ model, task }: Pick<SessionSettings, 'model' | 'task'>): string {
  const name = model.id.split('/').at(-1) ?? model.id;
  return `${name}-${task.id}`.toLowerCase();
}

const FOLDER_ENDS = { adapter: 'lora', merged: 'merged', onnx: 'onnx' } as const;

/** Folder inside an archive. */
export const exportFolder = (kind: keyof typeof FOLDER_ENDS, name: string): string => `${name}-${FOLDER_ENDS[kind]}`;

/** File name of what is downloaded; a checkpoint has one already. */
export function exportFileName(kind: Exclude<ExportKind, 'checkpoint'>, name: string): string {
  if (kind === 'log') return `${name}.jsonl`;
  return kind === 'curves' ? `${name}.csv` : `${exportFolder(kind, name)}.zip`;
}
