import type { ModelShape, ModelSource, TaskSummary } from '../signaling/protocol/settings.ts';
import {
  type BestAdapter,
  type Checkpoint,
  CheckpointError,
  decodeCheckpoint,
  difference,
  encodeCheckpoint,
} from './checkpoint.ts';
import { createSampler, tokenBatch } from './data/batches.ts';
import { type ExampleSplits, fingerprint } from './data/example.ts';
import { loadTask } from './data/load-task.ts';
import { previewTable } from './data/own-task.ts';
import { scoreLogits } from './data/score.ts';
import type { Task } from './data/tasks.ts';
import { mergeGradients } from './merge.ts';
import { maxTokens, parseModelConfig } from './model/config.ts';
import { exportAdapter } from './model/export-adapter.ts';
import { exportMerged } from './model/export-merged.ts';
import { exportOnnx } from './model/export-onnx.ts';
import { AdapterError, readAdapter } from './model/import-adapter.ts';
import { initialParameters } from './model/initial-parameters.ts';
import { type ParameterLayout, parameterLayout } from './model/layout.ts';
import type { BaseModel } from './model/merged-model.ts';
import { type ModelFileName, modelFileUrl, type OpenFile, readJson } from './model/model-files.ts';
import { preflight } from './model/preflight.ts';
import { createTokenizer, type Tokenizer } from './model/tokenizer.ts';
import type { ScoreAt, TrainedAdapter } from './model/trained-adapter.ts';
import { openWeights } from './model/weights.ts';
import { type AdamWState, adamWStep, createAdamWState, learningRateFactor, norm } from './optimiser.ts';
import type {
  AdapterChoice,
  CheckpointSummary,
  ExportedFile,
  HostRequest,
  HostWorkerApi,
  LoadProgress,
  OpenedHost,
  Preflight,
  Score,
  TablePreview,
  TokenBatch,
} from './rpc.ts';

/** More bad rows than that are only counted. */
const SHOWN_BAD_ROWS = 20;

/** Four special tokens of a pair and two of each text. */
const MIN_TOKENS = 8;

/** What an open session's host holds. The vector and the optimiser's state change in place, by `step` alone. */
interface OpenHost {
  readonly request: CheckpointSummary['request'];
  readonly shape: ModelShape;
  readonly task: Task;
  readonly summary: TaskSummary;
  readonly examples: ExampleSplits;
  readonly tokenizer: Tokenizer;
  readonly drawRound: (round: number) => number[];
  readonly layout: ParameterLayout;
  readonly values: Float32Array;
  readonly optimiser: AdamWState;
  readonly scores: ScoreAt[];
  /** The adapter that scored best so far, the earliest of equals. */
  best: BestAdapter | null;
}

/** The host's side of data and learning: tokens out, gradients in, one optimiser step a round. `open` reads files and addresses. */
export class Host implements HostWorkerApi {
  readonly #openFile: OpenFile;
  #progress: LoadProgress = { stage: 'config', done: 0, total: 1 };
  #host: OpenHost | undefined;

  constructor(openFile: OpenFile) {
    this.#openFile = openFile;
  }

  async open(request: HostRequest): Promise<OpenedHost> {
    this.#host = undefined;
    const { model, training, start } = request;
    this.#progress = { stage: 'config', done: 0, total: 1 };
    const shape = parseModelConfig(await this.#json(request, 'config.json'));
    if (training.maxTokens < MIN_TOKENS)
      throw new Error(`Samples of ${training.maxTokens} tokens hold no text; choose at least ${MIN_TOKENS}.`);
    if (training.maxTokens > maxTokens(shape))
      throw new Error(
        `Samples of ${training.maxTokens} tokens do not fit: ${model.id} holds at most ${maxTokens(shape)}; choose fewer tokens.`,
      );

    this.#progress = { stage: 'tokenizer', done: 0, total: 1 };
    const tokenizer = createTokenizer(await this.#json(request, 'tokenizer.json'), shape.vocabSize);

    this.#progress = { stage: 'data', done: 0, total: 1 };
    const { task, examples, bad } = await loadTask(this.#openFile, request.task, (done, total) => {
      this.#progress = { stage: 'data', done, total };
    });

    this.#progress = { stage: 'weights', done: 0, total: 1 };
    const checkpoint = start?.kind === 'checkpoint' ? checkedCheckpoint(start.bytes, request, examples) : undefined;
    const adapter = start?.kind === 'adapter' ? await readAdapter(start.files, shape, request.lora.alpha) : undefined;
    if (adapter && adapter.labelCount !== task.labelCount)
      throw new AdapterError(
        `The adapter's head has ${adapter.labelCount} outputs; "${task.title}" needs ${task.labelCount}.`,
      );
    const lora = adapter?.lora ?? request.lora;
    const layout = parameterLayout(shape, lora, task.labelCount);
    if (checkpoint && checkpoint.values.length !== layout.length)
      throw new CheckpointError(
        `The checkpoint has ${checkpoint.values.length} values; the model needs ${layout.length}.`,
      );
    const values =
      checkpoint?.values ??
      adapter?.values ??
      (await initialParameters(layout, await this.#weights(request), training.seed));

    this.#progress = { stage: 'weights', done: 1, total: 1 };
    const drawRound = createSampler(examples.train.length, training.samplesPerRound, training.seed);
    const firstRound = drawRound(1).map((index) => examples.train[index]!);
    const summary: TaskSummary = {
      id: task.id,
      title: task.title,
      labelCount: task.labelCount,
      classNames: [...task.classNames],
      metric: task.metric,
      trainExamples: examples.train.length,
      devExamples: examples.dev.length,
      roundTokens: Math.max(
        ...firstRound.map(({ text, pair }) => tokenizer.encode(text, pair, training.maxTokens).length),
      ),
    };
    const optimiser = checkpoint?.optimiser ?? createAdamWState(layout.length);
    this.#host = {
      // Without the bytes that it came with: they have been read.
      request: {
        model,
        weights: request.weights,
        task: { id: request.task.id, endpoint: request.task.endpoint },
        lora,
        training,
        origin: request.origin,
      },
      shape,
      task,
      summary,
      examples,
      tokenizer,
      drawRound,
      layout,
      values,
      optimiser,
      scores: [...(checkpoint?.scores ?? [])],
      best: checkpoint?.best ?? null,
    };
    return {
      shape,
      task: summary,
      lora,
      parameterCount: layout.length,
      version: optimiser.steps,
      pairs: hasPairs(examples),
      badRows: { count: bad.length, first: bad.slice(0, SHOWN_BAD_ROWS) },
    };
  }

  preflight(source: ModelSource, origin: string, memoryLimitBytes: number): Promise<Preflight> {
    return preflight(this.#openFile, source, origin, memoryLimitBytes);
  }

  async previewTable(bytes: Uint8Array): Promise<TablePreview> {
    return previewTable(bytes);
  }

  async progress(): Promise<LoadProgress> {
    return this.#progress;
  }

  async roundBatch(round: number): Promise<TokenBatch> {
    if (!Number.isInteger(round) || round < 1) throw new RangeError(`Rounds count from 1; there is no round ${round}.`);
    const { drawRound, examples } = this.#opened();
    return this.#tokens(
      drawRound(round).map((index) => examples.train[index]!),
      0,
    );
  }

  async devBatch(start: number, count: number): Promise<TokenBatch> {
    const { dev } = this.#opened().examples;
    if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 1 || start + count > dev.length) {
      throw new RangeError(`The dev set has examples 0 to ${dev.length - 1}; ${count} from ${start} were asked for.`);
    }
    return this.#tokens(dev.slice(start, start + count), start);
  }

  async textBatch(text: string, pair: string | null): Promise<TokenBatch> {
    const pairs = hasPairs(this.#opened().examples);
    if (text.trim() === '') throw new Error('There is no text to try; type a sentence.');
    if (pairs && (pair ?? '').trim() === '')
      throw new Error('This task is about two texts; type the second one as well.');
    if (!pairs && pair !== null) throw new Error('This task is about one text; leave the second one out.');
    return this.#tokens([{ text, pair, label: 0 }], 0);
  }

  async parameters(): Promise<{ version: number; values: Float32Array }> {
    const { optimiser, values } = this.#opened();
    return { version: optimiser.steps, values: values.slice() };
  }

  async step(
    request: Parameters<HostWorkerApi['step']>[0],
  ): Promise<{ version: number; learningRate: number; gradientNorm: number }> {
    const { layout, values, optimiser, request: settings } = this.#opened();
    const { round, samples, parts } = request;
    if (round !== optimiser.steps + 1) {
      throw new Error(`Round ${round} cannot be applied: round ${optimiser.steps + 1} is next.`);
    }
    const gradient = mergeGradients({ layout, samples }, parts);
    for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! / samples;
    const gradientNorm = norm(gradient);
    if (!Number.isFinite(gradientNorm)) throw new Error(`The gradient of round ${round} is too large for a number.`);
    const { learningRate: peak, rounds, warmupFraction, weightDecay } = settings.training;
    const learningRate = peak * learningRateFactor(round, rounds, warmupFraction);
    adamWStep(values, gradient, optimiser, { learningRate, weightDecay });
    return { version: optimiser.steps, learningRate, gradientNorm };
  }

  async score(logits: Float32Array): Promise<Score> {
    const host = this.#opened();
    const { task, examples, scores, optimiser, values, best } = host;
    const labels = Float32Array.from(examples.dev, ({ label }) => label);
    const score = scoreLogits(task, logits, labels);
    const round = optimiser.steps;
    scores.push({ round, metric: score.metric, value: score.value });
    if (!best || score.value > best.value) host.best = { round, value: score.value, values: values.slice() };
    return score;
  }

  async exportAdapter(which: AdapterChoice = 'last'): Promise<readonly ExportedFile[]> {
    return exportAdapter(this.#trained(which));
  }

  async exportMerged(which: AdapterChoice = 'last'): Promise<readonly ExportedFile[]> {
    return exportMerged(this.#trained(which), await this.#base());
  }

  async exportOnnx(which: AdapterChoice = 'last'): Promise<readonly ExportedFile[]> {
    return exportOnnx(this.#trained(which), await this.#base());
  }

  async checkpoint(note: string): Promise<Uint8Array<ArrayBuffer>> {
    const { request, examples, values, optimiser, scores, best } = this.#opened();
    return encodeCheckpoint({ request, dataFingerprint: fingerprint(examples), values, optimiser, scores, best, note });
  }

  async readCheckpoint(bytes: Uint8Array): Promise<CheckpointSummary> {
    const { request, optimiser, note } = decodeCheckpoint(bytes);
    return { request, version: optimiser.steps, note };
  }

  #trained(which: AdapterChoice): TrainedAdapter {
    const { request, summary, layout, values, optimiser, scores, best } = this.#opened();
    const { model, lora, training } = request;
    const all = { model, task: summary, lora, training, layout };
    if (which === 'last') return { ...all, values, rounds: optimiser.steps, scores };
    if (!best) throw new Error('No adapter has been scored yet; evaluate first, or take the last one.');
    return {
      ...all,
      values: best.values,
      rounds: best.round,
      scores: scores.filter(({ round }) => round <= best.round),
    };
  }

  async #base(): Promise<BaseModel> {
    const { request, shape } = this.#opened();
    const config = await this.#json(request, 'config.json');
    const tokenizer = await this.#openFile(modelFileUrl(request.model, request.origin, 'tokenizer.json'));
    return {
      shape,
      config,
      // A copy, because the file's owner may keep what it read.
      tokenizer: (await tokenizer.read(0, tokenizer.size)).slice(),
      weights: await this.#weights(request),
    };
  }

  #json({ model, origin }: CheckpointSummary['request'], name: ModelFileName): Promise<unknown> {
    return readJson(this.#openFile, modelFileUrl(model, origin, name));
  }

  async #weights({ model, origin }: CheckpointSummary['request']) {
    return openWeights(await this.#openFile(modelFileUrl(model, origin, 'model.safetensors')));
  }

  #opened(): OpenHost {
    if (!this.#host) throw new Error('The host has no session yet; open one first.');
    return this.#host;
  }

  #tokens(examples: ExampleSplits['dev'], firstPosition: number): TokenBatch {
    const { tokenizer, shape, request } = this.#opened();
    return tokenBatch(examples, tokenizer, {
      maxTokens: request.training.maxTokens,
      padTokenId: shape.padTokenId,
      firstPosition,
    });
  }
}

const hasPairs = ({ train }: ExampleSplits): boolean => train[0]?.pair != null;

/** A checkpoint of the very session that is being opened: otherwise going on would not be the same run. */
function checkedCheckpoint(bytes: Uint8Array, request: HostRequest, examples: ExampleSplits): Checkpoint {
  const checkpoint = decodeCheckpoint(bytes);
  const different =
    difference(checkpoint.request, request) ?? (checkpoint.dataFingerprint === fingerprint(examples) ? null : 'data');
  if (different) throw new CheckpointError(`The checkpoint is of another session: the two differ in the ${different}.`);
  return checkpoint;
}
