import { sessionAdapters } from '../../signaling/protocol/adapters.ts';
import { MAX_DATA_MESSAGE_BYTES } from '../../signaling/protocol/limits.ts';
import type { ModelShape, TaskSummary, TrainingSettings } from '../../signaling/protocol/settings.ts';
import { AdapterError, readAdapter } from '../adapter/import-adapter.ts';
import type { ScoreAt } from '../adapter/trained-adapter.ts';
import type { CheckpointSummary, HostRequest, Inherited, KnownRequest, OpeningProgress } from '../api/host-api.ts';
import type { DataReport } from '../api/tables.ts';
import { createSampler } from '../data/batches.ts';
import { countCutTexts } from '../data/cut-texts.ts';
import { dataFingerprint, type Example, type ExampleSplits } from '../data/example.ts';
import { loadTask, type SecondDev } from '../data/load-task.ts';
import type { Task } from '../data/tasks.ts';
import { TokenRows } from '../data/token-rows.ts';
import { type Loss, lossOf, sampleWeight } from '../engine/loss.ts';
import type { OpenFile } from '../files/open-file.ts';
import { createLearner, type Learner } from '../learn/learner.ts';
import { lengthGroups, paddedTokens } from '../learn/micro-batches.ts';
import { createAdamWState } from '../learn/optimiser.ts';
import { sessionTraining } from '../learn/session-training.ts';
import { Snapshots } from '../learn/snapshots.ts';
import { maxTokens } from '../model/config.ts';
import { initialParameters } from '../model/initial-parameters.ts';
import { type ParameterLayout, parameterLayout } from '../model/layout.ts';
import type { ModelFiles } from '../model/open-model.ts';
import { createTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { type BestAdapter, type Checkpoint, CheckpointError, decodeCheckpoint, difference } from './checkpoint.ts';

/** Four special tokens of a pair and two of each text. */
const MIN_TOKENS = 8;

/** Parameters travel whole, in one message with an order's tokens. */
const MAX_PARAMETERS = (MAX_DATA_MESSAGE_BYTES - 16 * 2 ** 20) / Float32Array.BYTES_PER_ELEMENT;

/** What an open session's host holds. The learner changes in place, by the host's `step` alone; the extent of the training before the first round. */
export interface HostState {
  /** Without the adapter or checkpoint that it started from: that has been read. */
  request: CheckpointSummary['request'];
  readonly shape: ModelShape;
  readonly task: Task;
  readonly summary: TaskSummary;
  readonly examples: ExampleSplits;
  /** A second dev set, scored when training ends. */
  readonly secondDev: SecondDev | null;
  /** Of all texts and labels; takes a while the first time. */
  readonly dataFingerprint: () => number;
  readonly tokenizer: Tokenizer;
  readonly tokenRows: TokenRows;
  readonly drawRound: (round: number) => number[];
  readonly layout: ParameterLayout;
  /** The request's, with class weights as numbers. */
  training: TrainingSettings;
  readonly loss: Loss;
  readonly learner: Learner;
  /** After the last rounds, with the best adapter then. */
  readonly snapshots: Snapshots<BestAdapter | null>;
  /** The parameters before the first round, where they are not those that the seed draws: of a session that began from an adapter. */
  readonly before: Float32Array | null;
  /** Of the dev set, or of its sample, when it was last scored. */
  scored: { readonly round: number; readonly logits: Float32Array; readonly examples: readonly Example[] } | null;
  /** Of the learner as it is; null while nobody has asked. */
  digest: number | null;
  /** Rounds so far, those that were skipped included. */
  round: number;
  readonly scores: ScoreAt[];
  /** Ids of the devices whose gradients were merged. */
  readonly devices: Set<string>;
  /** The adapter that scored best so far, the earliest of equals. */
  best: BestAdapter | null;
}

/**
 * Reads model, data and what the session goes on from.
 * @throws Error with one sentence that says what does not fit.
 */
export async function openHostState(
  openFile: OpenFile,
  files: ModelFiles,
  request: HostRequest,
  onProgress: (progress: OpeningProgress) => void,
): Promise<{ readonly open: HostState; readonly data: DataReport; readonly notices: readonly string[] }> {
  const { model, training, start, origin } = request;
  onProgress({ stage: 'config', done: 0, total: 1 });
  const shape = await files.shape();
  if (training.maxTokens < MIN_TOKENS)
    throw new Error(`Samples of ${training.maxTokens} tokens hold no text; choose at least ${MIN_TOKENS}.`);
  if (training.maxTokens > maxTokens(shape))
    throw new Error(
      `Samples of ${training.maxTokens} tokens do not fit: ${model.id} holds at most ${maxTokens(shape)}; choose fewer tokens.`,
    );

  onProgress({ stage: 'tokenizer', done: 0, total: 1 });
  const tokenizer = createTokenizer(await files.json('tokenizer.json'), shape.vocabSize);

  onProgress({ stage: 'data', done: 0, total: 1 });
  const { task, examples, secondDev, tables } = await loadTask(openFile, request.task, (done, total) =>
    onProgress({ stage: 'data', done, total }),
  );

  const resolved = sessionTraining(training, task, examples.train);

  onProgress({ stage: 'adapter', done: 0, total: 1 });
  const adapter =
    start?.kind === 'adapter'
      ? await readAdapter(start.files, shape, { alpha: request.lora.alpha, model, dropout: training.dropout })
      : undefined;
  if (adapter && adapter.labelCount !== task.labelCount)
    throw new AdapterError(
      `The adapter's head has ${adapter.labelCount} outputs; "${task.title}" needs ${task.labelCount}.`,
    );
  const lora = adapter?.lora ?? sessionAdapters(request.lora, shape.layers);
  const checkpoint =
    start?.kind === 'checkpoint'
      ? checkedCheckpoint(start.bytes, { ...request, lora }, examples)
      : start?.kind === 'inherited'
        ? inherited(start, examples)
        : undefined;
  const layout = parameterLayout(shape, lora, task.labelCount);
  if (layout.length > MAX_PARAMETERS)
    throw new Error(
      `The adapters and the head have ${layout.length} values; devices exchange at most ${MAX_PARAMETERS}. Choose a lower rank or fewer projections.`,
    );
  if (checkpoint && checkpoint.values.length !== layout.length)
    throw new CheckpointError(
      `The checkpoint has ${checkpoint.values.length} values; the model needs ${layout.length}.`,
    );
  const fresh = async () => initialParameters(layout, await files.weights(), training.seed);
  const values = checkpoint?.values ?? adapter?.values ?? (await fresh());

  onProgress({ stage: 'adapter', done: 1, total: 1 });
  const drawRound = createSampler(examples.train.length, training.samplesPerRound, training.seed);
  const tokenRows = new TokenRows(tokenizer, training.maxTokens);
  const summary: TaskSummary = {
    id: task.id,
    title: task.title,
    kind: task.kind,
    labelCount: task.labelCount,
    classNames: [...task.classNames],
    metric: task.metric,
    trainExamples: examples.train.length,
    devExamples: examples.dev.length,
    roundTokens: typicalTokens(drawRound, (index) => tokenRows.of(examples.train[index]!).length),
    devTokens: meanTokens(examples.dev.slice(0, LOOKED_AT).map((example) => tokenRows.of(example).length)),
  };
  let known: number | null = null;
  const open: HostState = {
    request: { model, weights: request.weights, task: request.task, lora, training, origin },
    shape,
    task,
    summary,
    examples,
    secondDev,
    dataFingerprint: () => {
      known ??= dataFingerprint(examples);
      return known;
    },
    tokenizer,
    tokenRows,
    drawRound,
    layout,
    training: resolved,
    loss: lossOf(task, resolved),
    learner: createLearner(layout, values, checkpoint?.optimiser ?? createAdamWState(layout.length), training),
    snapshots: pastOf(start),
    before: checkpoint ? checkpoint.before : (adapter?.values.slice() ?? null),
    scored: null,
    digest: null,
    round: checkpoint?.round ?? 0,
    scores: [...(checkpoint?.scores ?? [])],
    devices: new Set(checkpoint?.devices),
    best: checkpoint?.best ?? null,
  };
  const cutTexts = countCutTexts(examples, tokenizer, training.maxTokens);
  return {
    open,
    data: { tables, cutTexts, tokenizer: tokenizer.about },
    notices: [...tokenizer.notices, ...(adapter?.notices ?? [])],
  };
}

/** Samples of the first rounds, and dev examples, that say how long they are. */
const LOOKED_AT = 256;

const meanTokens = (lengths: readonly number[]): number =>
  Math.max(1, Math.round(lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length)));

/** Tokens of a sample as devices compute it, padding included: the mean over the first rounds. */
function typicalTokens(drawRound: (round: number) => number[], lengthOf: (example: number) => number): number {
  let [tokens, samples] = [0, 0];
  for (let round = 1; samples < LOOKED_AT; round++) {
    const lengths = drawRound(round).map(lengthOf);
    tokens += paddedTokens(lengths, lengthGroups(lengths, lengths.length));
    samples += lengths.length;
  }
  return Math.max(1, Math.round(tokens / samples));
}

/** A checkpoint of the very session that is being opened: otherwise going on would not be the same run. */
function checkedCheckpoint(bytes: Uint8Array, request: KnownRequest, examples: ExampleSplits): Checkpoint {
  const checkpoint = decodeCheckpoint(bytes);
  const different =
    difference(checkpoint.request, request) ??
    (checkpoint.dataFingerprint === dataFingerprint(examples) ? null : 'data');
  if (different) throw new CheckpointError(`The checkpoint is of another session: the two differ in the ${different}.`);
  return checkpoint;
}

type Begun = Omit<Checkpoint, 'request' | 'note'>;

/** The same of what a device held. @throws Error with a sentence when the data here is not the session's. */
function inherited(
  { state, dataFingerprint: expected, best, before, scores, devices }: Inherited,
  examples: ExampleSplits,
): Begun {
  if (dataFingerprint(examples) !== expected)
    throw new Error('The task’s data is not the same here as it was for the host; another device has to lead.');
  const { version, values, steps, firstMoment, secondMoment } = state;
  return {
    ...{ dataFingerprint: expected, round: version, values, best, scores, devices, before },
    optimiser: { steps, firstMoment, secondMoment },
  };
}

/** What there is to go back to: of a device that leads now, what it held. */
function pastOf(start: HostRequest['start']): HostState['snapshots'] {
  const snapshots: HostState['snapshots'] = new Snapshots();
  if (start?.kind !== 'inherited') return snapshots;
  const { past, best } = start;
  snapshots.take(past, (round) => (best !== null && best.round <= round ? best : null));
  return snapshots;
}

/** What an example's loss counts in its round. */
export const weightOf = (loss: Loss, label: Example['label']): number =>
  typeof label === 'number' ? sampleWeight(loss, label) : 1;
