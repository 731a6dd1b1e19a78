import type { ModelShape, TaskSummary } from '../signaling/protocol/settings.ts';
import { createSampler, tokenBatch } from './data/batches.ts';
import type { ExampleSplits } from './data/example.ts';
import { loadTask } from './data/load-task.ts';
import { type Score, scoreLogits } from './data/score.ts';
import { findTask, type Task } from './data/tasks.ts';
import { mergeGradients } from './merge.ts';
import { maxTokens, parseModelConfig } from './model/config.ts';
import { exportAdapter } from './model/export-adapter.ts';
import { initialParameters } from './model/initial-parameters.ts';
import { type ParameterLayout, parameterLayout } from './model/layout.ts';
import { modelFileUrl, type OpenFile, readJson } from './model/model-files.ts';
import { createTokenizer, type Tokenizer } from './model/tokenizer.ts';
import { openWeights } from './model/weights.ts';
import { type AdamWState, adamWStep, createAdamWState, learningRateFactor, norm } from './optimiser.ts';
import type { ExportedFile, HostRequest, HostWorkerApi, LoadProgress, TokenBatch } from './rpc.ts';

/** What an open session's host holds. The vector and the optimiser's state change in place, by `step` alone. */
interface OpenHost {
  readonly request: HostRequest;
  readonly shape: ModelShape;
  readonly task: Task;
  readonly summary: TaskSummary;
  readonly examples: ExampleSplits;
  readonly tokenizer: Tokenizer;
  readonly drawRound: (round: number) => number[];
  readonly layout: ParameterLayout;
  readonly values: Float32Array;
  readonly optimiser: AdamWState;
  readonly scores: { round: number; metric: string; value: number }[];
}

/** The host's side of data and learning: tokens out, gradients in, one optimiser step a round. `open` reads files and addresses. */
export class Host implements HostWorkerApi {
  readonly #openFile: OpenFile;
  #progress: LoadProgress = { stage: 'config', done: 0, total: 1 };
  #host: OpenHost | undefined;

  constructor(openFile: OpenFile) {
    this.#openFile = openFile;
  }

  async open(request: HostRequest): Promise<{ shape: ModelShape; task: TaskSummary; parameterCount: number }> {
    this.#host = undefined;
    const task = findTask(request.task.id);
    const { model, origin, lora, training } = request;

    this.#progress = { stage: 'config', done: 0, total: 1 };
    const shape = parseModelConfig(await readJson(this.#openFile, modelFileUrl(model, origin, 'config.json')));
    if (training.maxTokens > maxTokens(shape))
      throw new Error(
        `Samples of ${training.maxTokens} tokens do not fit: ${model.id} holds at most ${maxTokens(shape)}; choose fewer tokens.`,
      );

    this.#progress = { stage: 'tokenizer', done: 0, total: 1 };
    const tokenizer = createTokenizer(
      await readJson(this.#openFile, modelFileUrl(model, origin, 'tokenizer.json')),
      shape.vocabSize,
    );

    this.#progress = { stage: 'weights', done: 0, total: 1 };
    const layout = parameterLayout(shape, lora, task.labelCount);
    const weights = await openWeights(await this.#openFile(modelFileUrl(model, origin, 'model.safetensors')));
    const values = await initialParameters(layout, weights, training.seed);

    this.#progress = { stage: 'data', done: 0, total: 1 };
    const examples = await loadTask(this.#openFile, task, request.task.endpoint, (done, total) => {
      this.#progress = { stage: 'data', done, total };
    });

    const summary: TaskSummary = {
      id: task.id,
      title: task.title,
      labelCount: task.labelCount,
      classNames: [...task.classNames],
      metric: task.metric,
      trainExamples: examples.train.length,
      devExamples: examples.dev.length,
    };
    this.#host = {
      request,
      shape,
      task,
      summary,
      examples,
      tokenizer,
      drawRound: createSampler(examples.train.length, training.samplesPerRound, training.seed),
      layout,
      values,
      optimiser: createAdamWState(layout.length),
      scores: [],
    };
    return { shape, task: summary, parameterCount: layout.length };
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
    const { task, examples, scores, optimiser } = this.#opened();
    const labels = Float32Array.from(examples.dev, ({ label }) => label);
    const score = scoreLogits(task, logits, labels);
    scores.push({ round: optimiser.steps, metric: score.metric, value: score.value });
    return score;
  }

  async exportAdapter(): Promise<readonly ExportedFile[]> {
    const { request, summary, layout, values, optimiser, scores } = this.#opened();
    const { model, lora, training } = request;
    return exportAdapter({ model, task: summary, lora, training, layout, values, rounds: optimiser.steps, scores });
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
