import type { TokenBatch } from '../../../worker/api/batch.ts';
import type { HostWorkerApi } from '../../../worker/api/host-api.ts';
import type { DevReport } from '../../../worker/api/report.ts';
import type { NamedFile, TablePreview, TextColumns } from '../../../worker/api/tables.ts';
import * as say from '../../words/session/own.ts';
import type { ParameterState } from '../rounds/device-links.ts';
import type { TrainerSeat } from '../rounds/trainer-seat.ts';
import { predictionOf } from '../view/class-probabilities.ts';
import type { Answers, SessionView, TriedText } from '../view/view.ts';
import type { WorkerHandle } from '../world/environment.ts';
import { previewApart } from '../world/table-apart.ts';

const LOADING = say.theModelIsStillLoading;

interface AskingContext {
  readonly worker: () => HostWorkerApi;
  /** Another one, for what might hold it up. */
  readonly startWorker: () => WorkerHandle<HostWorkerApi>;
  readonly seat: () => TrainerSeat | null;
  /** What all stages of a split room say together; null where the room is not split. */
  readonly askRoom: (batch: TokenBatch, parameters: ParameterState) => Promise<Float32Array | null>;
  readonly view: () => SessionView;
  /** Rejects when the session ends before the work: a worker that was terminated settles nothing. */
  readonly open: <T>(work: Promise<T>) => Promise<T>;
}

/** The host's person asks the model: on this device alone, between two orders of it; in a split room all stages, between two rounds. */
export class Asking implements Answers {
  readonly #context: AskingContext;
  #before: Float32Array | null = null;

  constructor(context: AskingContext) {
    this.#context = context;
  }

  async text(text: string, pair: string | null): Promise<TriedText> {
    const { open } = this.#context;
    const { worker, task } = this.#ready();
    const batch = await open(worker.textBatch(text, pair));
    const parameters = await open(worker.parameters());
    const prediction = predictionOf(task, await this.#predict(batch, parameters));
    if (parameters.version === 0) return { prediction, round: 0, before: null };
    this.#before ??= await open(worker.parametersBefore());
    const before = predictionOf(task, await this.#predict(batch, { version: 0, values: this.#before }));
    return { prediction, round: parameters.version, before };
  }

  async devReport(): Promise<DevReport> {
    return this.#context.open(this.#context.worker().report());
  }

  async previewTable(file: NamedFile): Promise<TablePreview> {
    return this.#context.open(previewApart(this.#context.startWorker, file, 1));
  }

  async predictFile(
    file: NamedFile,
    columns: TextColumns,
    onProgress: (done: number, total: number) => void,
  ): Promise<readonly string[]> {
    const { open } = this.#context;
    const { worker } = this.#ready();
    const { rows, header } = await open(worker.openTexts(file, columns));
    // As it is now, for the whole file, however far training goes meanwhile.
    const parameters = await open(worker.parameters());
    const pieces = [header];
    let done = 0;
    for (let next = await open(worker.nextTexts()); next !== null; next = await open(worker.nextTexts())) {
      const logits = next.batch === null ? new Float32Array(0) : await this.#predict(next.batch, parameters);
      pieces.push(await open(worker.answerTexts(logits)));
      done += next.rows;
      onProgress(done, rows);
    }
    return pieces;
  }

  async #predict(batch: TokenBatch, parameters: ParameterState): Promise<Float32Array> {
    const { askRoom, open, seat, view } = this.#context;
    const found = await open(askRoom(batch, parameters));
    if (found !== null) return found;
    const { status } = view();
    if (status.kind === 'failed') throw new Error(say.thisDeviceCannotRun(status.sentence));
    const own = seat();
    if (own === null || status.kind !== 'ready') throw new Error(LOADING);
    return own.predict(batch, parameters);
  }

  #ready() {
    const worker = this.#context.worker();
    const { room } = this.#context.view();
    if (room === null) throw new Error(LOADING);
    return { worker, task: room.settings.task };
  }
}
