import type { SampleRange } from '../../signaling/protocol/round.ts';
import type { Extent, ModelSource } from '../../signaling/protocol/settings.ts';
import type { BaseModel } from '../adapter/merged-model.ts';
import type { TrainedAdapter } from '../adapter/trained-adapter.ts';
import type { TokenBatch } from '../api/batch.ts';
import type {
  AdapterChoice,
  CheckpointSummary,
  Deleted,
  DevPart,
  Evaluated,
  ExportForm,
  HostRequest,
  HostWorkerApi,
  KeptCheckpoint,
  KeptModel,
  KeptSession,
  LearnedState,
  OpenedSession,
  OpeningProgress,
  Preflight,
  Score,
  SessionToKeep,
  StepResult,
} from '../api/host-api.ts';
import type { DevReport } from '../api/report.ts';
import type { NamedFile, TablePreview, TextColumns } from '../api/tables.ts';
import { rowsOf } from '../data/batches.ts';
import { dealByLength } from '../data/dealing.ts';
import type { Example } from '../data/example.ts';
import { reachTask } from '../data/load-task.ts';
import { forgetModels, keptModels } from '../files/cached-source.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import type { OpenFile } from '../files/open-file.ts';
import { copyOfLearned } from '../learn/held-state.ts';
import { takeStep } from '../learn/learner.ts';
import { stateDigest } from '../learn/state-digest.ts';
import { initialParameters } from '../model/initial-parameters.ts';
import { preflight } from '../model/model-preflight.ts';
import { type ModelFiles, modelFiles } from '../model/open-model.ts';
import { devReport } from '../score/dev-report.ts';
import { previewTable } from '../table/columns/preview.ts';
import { readTable } from '../table/read-table.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { deleteAllHere } from './delete-all.ts';
import { devChunk, devOrder, inOrder, scoreEvaluated } from './host-dev.ts';
import { HostExports } from './host-exports.ts';
import { type HostState, openHostState, weightOf } from './host-state.ts';
import { HostTexts, hasPairs, tokensOf } from './host-texts.ts';
import { type KeptSessions, labelMetadata, type SessionLabel } from './kept-sessions.ts';
import { keepSnapshot, undoTo } from './undo.ts';

/** The host's side of data and learning: tokens out, gradients in, one optimiser step a round. `open` reads files and addresses. */
export class Host implements Omit<HostWorkerApi, 'useFolder'> {
  readonly #openFile: OpenFile;
  readonly #kept: KeptSessions | null;
  readonly #store: ChunkStore | null;
  #progress: OpeningProgress = { stage: 'config', done: 0, total: 1 };
  #host: HostState | undefined;
  readonly #texts = new HostTexts(() => this.#opened());
  readonly #exports = new HostExports(
    (which) => this.#trained(which),
    () => this.#base(),
  );

  /** `kept` is null where a process keeps files of its own, `store` where models are not kept. */
  constructor(openFile: OpenFile, kept: KeptSessions | null = null, store: ChunkStore | null = null) {
    this.#openFile = openFile;
    this.#store = store;
    this.#kept = kept;
  }

  async open(request: HostRequest): Promise<OpenedSession> {
    this.#host = undefined;
    const { open, data, notices } = await openHostState(this.#openFile, this.#files(request), request, (progress) => {
      this.#progress = progress;
    });
    this.#host = open;
    const {
      shape,
      summary,
      request: { lora },
      layout,
      round,
    } = open;
    return {
      shape,
      task: summary,
      training: open.training,
      lora,
      parameterCount: layout.length,
      version: round,
      pairs: hasPairs(open),
      secondDev: open.secondDev && { name: open.secondDev.name, examples: open.secondDev.examples.length },
      data,
      notices,
    };
  }

  preflight(source: ModelSource, origin: string, memoryLimitBytes: number): Promise<Preflight> {
    return preflight(this.#openFile, this.#store, source, origin, memoryLimitBytes);
  }

  reachTask(task: HostRequest['task']): Promise<void> {
    return reachTask(this.#openFile, task);
  }

  async keptModels(): Promise<readonly KeptModel[]> {
    return this.#store === null ? [] : keptModels(this.#store);
  }

  async forgetModels(name: string | null): Promise<void> {
    if (this.#store !== null) await forgetModels(this.#store, name);
  }

  async previewTable({ name, bytes }: NamedFile, leastColumns: 1 | 2 = 2): Promise<TablePreview> {
    return previewTable(await readTable(name, bytes, leastColumns));
  }

  async progress(): Promise<OpeningProgress> {
    return this.#progress;
  }

  async roundBatch(round: number, ranges: readonly SampleRange[] | null = null): Promise<TokenBatch> {
    if (!Number.isInteger(round) || round < 1) throw new RangeError(`Rounds count from 1; there is no round ${round}.`);
    const drawn = tokensOf(this.#opened(), this.#roundExamples(round));
    return ranges === null ? drawn : rowsOf(drawn, dealByLength(drawn.lengths, ranges));
  }

  async devLengths(part: DevPart): Promise<Int32Array> {
    return devOrder(this.#opened(), part).lengths.slice();
  }

  async devChunk(part: DevPart, start: number, count: number): Promise<TokenBatch> {
    return devChunk(this.#opened(), part, start, count);
  }

  /** Dev samples `start` to `start + count` in the data's order, for programs without devices. */
  async devBatch(start: number, count: number): Promise<TokenBatch> {
    const { dev } = this.#opened().examples;
    if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 1 || start + count > dev.length) {
      throw new RangeError(`The dev set has examples 0 to ${dev.length - 1}; ${count} from ${start} were asked for.`);
    }
    return tokensOf(this.#opened(), dev.slice(start, start + count));
  }

  async textBatch(text: string, pair: string | null): Promise<TokenBatch> {
    return this.#texts.typed(text, pair);
  }

  openTexts(file: NamedFile, columns: TextColumns): Promise<{ rows: number; header: string }> {
    return this.#texts.open(file, columns);
  }

  async nextTexts(): Promise<{ rows: number; batch: TokenBatch | null } | null> {
    return this.#texts.next();
  }

  async answerTexts(logits: Float32Array): Promise<string> {
    return this.#texts.lines(logits);
  }

  async parameters(): Promise<{ version: number; values: Float32Array; digest: number }> {
    const { round, learner } = this.#opened();
    return { version: round, values: learner.values.slice(), digest: this.#digest() };
  }

  async state(): Promise<LearnedState> {
    const { round, learner } = this.#opened();
    return { version: round, digest: this.#digest(), ...copyOfLearned(learner) };
  }

  async heritage(): ReturnType<HostWorkerApi['heritage']> {
    const { before, best, dataFingerprint } = this.#opened();
    return { dataFingerprint: dataFingerprint(), best, before };
  }

  #digest(): number {
    const host = this.#opened();
    host.digest ??= stateDigest(host.learner);
    return host.digest;
  }

  async parametersBefore(): Promise<Float32Array> {
    const { before, layout, training } = this.#opened();
    if (before !== null) return before.slice();
    return initialParameters(layout, await this.#files(this.#opened().request).weights(), training.seed);
  }

  async step(request: Parameters<HostWorkerApi['step']>[0]): Promise<StepResult> {
    const host = this.#opened();
    const { round, samples, parts, lossSum, devices = [] } = request;
    this.#isNext(round);
    keepSnapshot(host);
    const denominator = this.#roundExamples(round).reduce((sum, { label }) => sum + weightOf(host.loss, label), 0);
    const result = takeStep(host.learner, { samples, parts, lossSum, denominator }, host.training);
    if (result.kind === 'not-finite') return result;
    host.round = round;
    host.digest = stateDigest(host.learner);
    for (const device of devices) host.devices.add(device);
    const { gradient, learningRate, ...stepped } = result;
    return { ...stepped, learningRate, update: { gradient, learningRate, digest: host.digest } };
  }

  async setExtent(extent: Extent): Promise<void> {
    const host = this.#opened();
    if (host.round > 0) throw new Error('Rounds are done already: how many there are cannot be changed any more.');
    host.training = { ...host.training, ...extent };
    host.request = { ...host.request, training: { ...host.request.training, ...extent } };
  }

  async skip(round: number): Promise<void> {
    this.#isNext(round);
    keepSnapshot(this.#opened());
    this.#opened().round = round;
  }

  async undo(round: number): Promise<number> {
    return undoTo(this.#opened(), round);
  }

  #roundExamples(round: number): readonly Example[] {
    const { drawRound, examples } = this.#opened();
    return drawRound(round).map((index) => examples.train[index]!);
  }

  #isNext(round: number): void {
    const next = this.#opened().round + 1;
    if (round !== next) throw new Error(`Round ${round} cannot be applied: round ${next} is next.`);
  }

  async score(evaluated: Evaluated): Promise<Score> {
    return scoreEvaluated(this.#opened(), evaluated);
  }

  /** The same of the present parameters, logits in the data's order: for programs without devices. */
  async scoreDev(logits: Float32Array, secondLogits: Float32Array | null = null): Promise<Score> {
    const host = this.#opened();
    const ordered = (part: DevPart, given: Float32Array) => inOrder(devOrder(host, part), given, host.task.labelCount);
    return this.score({
      version: host.round,
      values: host.learner.values,
      part: 'first',
      logits: ordered('first', logits),
      secondLogits: secondLogits && ordered('second', secondLogits),
    });
  }

  async report(): Promise<DevReport> {
    const { task, scored, training } = this.#opened();
    if (scored === null)
      throw new Error('Nothing has been scored since this session was opened; the next score makes it.');
    return devReport(task, scored.examples, scored.logits, { round: scored.round, threshold: training.threshold });
  }

  exportAdapter = (which: AdapterChoice = 'last') => this.#exports.whole('adapter', which);
  exportMerged = (which: AdapterChoice = 'last') => this.#exports.whole('merged', which);
  exportOnnx = (which: AdapterChoice = 'last') => this.#exports.whole('onnx', which);
  exportBytes = (form: ExportForm) => this.#exports.bytes(form);
  openExport = (form: ExportForm, which: AdapterChoice = 'last') => this.#exports.open(form, which);
  nextPart = () => this.#exports.next();

  async checkpoint(note: string): Promise<Uint8Array<ArrayBuffer>> {
    return encodeCheckpoint(this.#checkpoint(note));
  }

  async keep({ id, deviceName, key }: SessionToKeep, note: string): Promise<KeptSession> {
    const checkpoint = this.#checkpoint(note);
    const { model, training } = checkpoint.request;
    const label: SessionLabel = {
      title: `${this.#opened().task.title}, ${model.id}`,
      deviceName,
      round: checkpoint.round,
      rounds: training.rounds,
      savedAtMs: Date.now(),
    };
    const bytes = encodeCheckpoint(checkpoint, labelMetadata(label));
    return this.#keptHere().keep(id, label, { bytes, key });
  }

  async keptSessions(): Promise<readonly KeptSession[]> {
    return this.#keptHere().list();
  }

  keptCheckpoint(id: string): Promise<KeptCheckpoint> {
    return this.#keptHere().read(id);
  }

  forget(id: string): Promise<void> {
    return this.#keptHere().forget(id);
  }

  async deleteAll(): Promise<Deleted> {
    return deleteAllHere(this.#kept, this.#store);
  }

  #keptHere(): KeptSessions {
    if (!this.#kept) throw new Error('Sessions are not kept on this device.');
    return this.#kept;
  }

  #checkpoint(note: string): Checkpoint {
    const { request, dataFingerprint, learner, before, round, scores, best, devices } = this.#opened();
    return {
      request,
      dataFingerprint: dataFingerprint(),
      round,
      values: learner.values,
      optimiser: learner.optimiser,
      before,
      scores,
      best,
      devices: [...devices],
      note,
    };
  }

  async readCheckpoint(bytes: Uint8Array): Promise<CheckpointSummary> {
    const { request, round, note } = decodeCheckpoint(bytes);
    return { request, version: round, note };
  }

  #trained(which: AdapterChoice): TrainedAdapter {
    const { request, summary, training, layout, learner, round, scores, best, devices } = this.#opened();
    const { model, lora } = request;
    const all = { model, task: summary, lora, training, layout, devices: devices.size };
    if (which === 'last') return { ...all, values: learner.values, rounds: round, scores };
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

  #opened(): HostState {
    if (!this.#host) throw new Error('The host has no session yet; open one first.');
    return this.#host;
  }
}
