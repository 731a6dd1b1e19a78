import type { ModelSource } from '../../signaling/protocol/settings.ts';
import { exportAdapter } from '../adapter/export-adapter.ts';
import { exportMerged } from '../adapter/export-merged.ts';
import { exportOnnx } from '../adapter/export-onnx.ts';
import type { BaseModel } from '../adapter/merged-model.ts';
import type { TrainedAdapter } from '../adapter/trained-adapter.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { LoadProgress } from '../api/device-api.ts';
import type {
  AdapterChoice,
  CheckpointSummary,
  DevSet,
  ExportedFile,
  HostRequest,
  HostWorkerApi,
  KeptModel,
  KeptSession,
  OpenedSession,
  Preflight,
  Score,
} from '../api/host-api.ts';
import type { TablePreview } from '../api/tables.ts';
import { tokenBatch } from '../data/batches.ts';
import type { Example, ExampleSplits } from '../data/example.ts';
import { previewTable } from '../data/own-task.ts';
import { scoreLogits } from '../data/score.ts';
import { forgetModels, keptModels } from '../files/cached-source.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import type { OpenFile } from '../files/open-file.ts';
import { mergeGradients } from '../learn/merge.ts';
import { adamWStep, learningRateFactor, norm } from '../learn/optimiser.ts';
import { preflight } from '../model/model-preflight.ts';
import { type ModelFiles, modelFiles } from '../model/open-model.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { type HostState, openHostState } from './host-state.ts';
import { type KeptSessions, labelMetadata, type SessionLabel } from './kept-sessions.ts';

/** More bad rows than that are only counted. */
const SHOWN_BAD_ROWS = 20;

/** The host's side of data and learning: tokens out, gradients in, one optimiser step a round. `open` reads files and addresses. */
export class Host implements HostWorkerApi {
  readonly #openFile: OpenFile;
  readonly #kept: KeptSessions | null;
  readonly #store: ChunkStore | null;
  #progress: LoadProgress = { stage: 'config', done: 0, total: 1 };
  #host: HostState | undefined;

  /** `kept` is null where a process keeps files of its own, `store` where models are not kept. */
  constructor(openFile: OpenFile, kept: KeptSessions | null = null, store: ChunkStore | null = null) {
    this.#openFile = openFile;
    this.#store = store;
    this.#kept = kept;
  }

  async open(request: HostRequest): Promise<OpenedSession> {
    this.#host = undefined;
    const { open, bad } = await openHostState(this.#openFile, this.#files(request), request, (progress) => {
      this.#progress = progress;
    });
    this.#host = open;
    const {
      shape,
      summary,
      request: { lora },
      layout,
      optimiser,
      examples,
    } = open;
    return {
      shape,
      task: summary,
      lora,
      parameterCount: layout.length,
      version: optimiser.steps,
      pairs: hasPairs(examples),
      secondDev: open.secondDev && { name: open.secondDev.name, examples: open.secondDev.examples.length },
      badRows: { count: bad.length, first: bad.slice(0, SHOWN_BAD_ROWS) },
    };
  }

  preflight(source: ModelSource, origin: string, memoryLimitBytes: number): Promise<Preflight> {
    return preflight(this.#openFile, this.#store, source, origin, memoryLimitBytes);
  }

  async keptModels(): Promise<readonly KeptModel[]> {
    return this.#store === null ? [] : keptModels(this.#store);
  }

  async forgetModels(name: string | null): Promise<void> {
    if (this.#store !== null) await forgetModels(this.#store, name);
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

  async devBatch(start: number, count: number, set: DevSet = 'first'): Promise<TokenBatch> {
    const dev = this.#dev(set);
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
    const { layout, values, optimiser, request: settings, devices: all } = this.#opened();
    const { round, samples, parts, devices = [] } = request;
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
    for (const device of devices) all.add(device);
    return { version: optimiser.steps, learningRate, gradientNorm };
  }

  async score(logits: Float32Array, secondLogits: Float32Array | null = null): Promise<Score> {
    const host = this.#opened();
    const { task, scores, optimiser, values, best, secondDev } = host;
    const labels = (set: DevSet) => Float32Array.from(this.#dev(set), ({ label }) => label);
    const score = scoreLogits(task, logits, labels('first'));
    const second = secondLogits && scoreLogits(task, secondLogits, labels('second'));
    const round = optimiser.steps;
    if (scores.at(-1)?.round === round) scores.pop();
    const ofSecond = (second ? [second, ...second.further] : []).map(({ metric, value }) => ({
      metric: `${metric}, ${secondDev?.name} dev set`,
      value,
    }));
    const further = [...score.further, ...ofSecond];
    scores.push({ round, metric: score.metric, value: score.value, further });
    if (!best || score.value > best.value) host.best = { round, value: score.value, values: values.slice() };
    return { ...score, further };
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
    return encodeCheckpoint(this.#checkpoint(note));
  }

  async keep({ id, deviceName }: { id: string; deviceName: string }, note: string): Promise<KeptSession> {
    const checkpoint = this.#checkpoint(note);
    const { model, training } = checkpoint.request;
    const label: SessionLabel = {
      title: `${this.#opened().task.title}, ${model.id}`,
      deviceName,
      round: checkpoint.optimiser.steps,
      rounds: training.rounds,
      savedAtMs: Date.now(),
    };
    return this.#keptHere().keep(id, label, encodeCheckpoint(checkpoint, labelMetadata(label)));
  }

  async keptSessions(): Promise<readonly KeptSession[]> {
    return this.#keptHere().list();
  }

  keptCheckpoint(id: string): Promise<Uint8Array> {
    return this.#keptHere().read(id);
  }

  forget(id: string): Promise<void> {
    return this.#keptHere().forget(id);
  }

  #keptHere(): KeptSessions {
    if (!this.#kept) throw new Error('Sessions are not kept on this device.');
    return this.#kept;
  }

  #checkpoint(note: string): Checkpoint {
    const { request, dataFingerprint, values, optimiser, scores, best, devices } = this.#opened();
    return {
      request,
      dataFingerprint: dataFingerprint(),
      values,
      optimiser,
      scores,
      best,
      devices: [...devices],
      note,
    };
  }

  async readCheckpoint(bytes: Uint8Array): Promise<CheckpointSummary> {
    const { request, optimiser, note } = decodeCheckpoint(bytes);
    return { request, version: optimiser.steps, note };
  }

  #trained(which: AdapterChoice): TrainedAdapter {
    const { request, summary, layout, values, optimiser, scores, best, devices } = this.#opened();
    const { model, lora, training } = request;
    const all = { model, task: summary, lora, training, layout, devices: devices.size };
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
    const files = this.#files(request);
    const config = await files.json('config.json');
    const tokenizer = await files.open('tokenizer.json');
    return {
      shape,
      config,
      // A copy, because the file's owner may keep what it read.
      tokenizer: (await tokenizer.read(0, tokenizer.size)).slice(),
      weights: await files.weights(),
    };
  }

  #files({ model, origin }: Pick<HostRequest, 'model' | 'origin'>): ModelFiles {
    return modelFiles(this.#openFile, this.#store, model, origin);
  }

  #dev(set: DevSet): readonly Example[] {
    const { examples, secondDev } = this.#opened();
    return set === 'first' ? examples.dev : (secondDev?.examples ?? []);
  }

  #opened(): HostState {
    if (!this.#host) throw new Error('The host has no session yet; open one first.');
    return this.#host;
  }

  #tokens(examples: readonly Example[], firstPosition: number): TokenBatch {
    const { tokenizer, shape, request } = this.#opened();
    return tokenBatch(examples, tokenizer, {
      maxTokens: request.training.maxTokens,
      padTokenId: shape.padTokenId,
      firstPosition,
    });
  }
}

const hasPairs = ({ train }: ExampleSplits): boolean => train[0]?.pair != null;
