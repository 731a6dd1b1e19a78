import type { StageChunk, StageOrder, StageParameters, StagePart, StageValues } from '../api/stage-api.ts';
import type { Engine } from '../engine/engine.ts';
import { evaluateStage, runStage, type StageInputs } from '../learn/stage.ts';
import { setBlocks } from '../learn/stage-hidden.ts';
import { claimedBytes, fittingOrder, longestOf, refuseAbove } from '../learn/stage-memory.ts';
import { type Pace, stepPause } from './step-pause.ts';

const GIVEN_UP = 'The stage was given up.';

/** What was given to a stage and not yet taken, each micro-batch once. */
class StageInbox implements StageInputs {
  readonly #microBatches: number;
  readonly #values = new Map<string, Float32Array | null>();
  readonly #waiting = new Map<string, { resolve(values: Float32Array): void; reject(error: Error): void }>();
  readonly #cameMs = new Map<string, number>();
  #over = false;

  constructor(microBatches: number) {
    this.#microBatches = microBatches;
  }

  take(kind: StageValues['kind'], microBatch: number): Promise<Float32Array> {
    const key = `${kind} ${microBatch}`;
    const values = this.#values.get(key);
    this.#values.set(key, null);
    if (values) return Promise.resolve(values);
    if (this.#over) return Promise.reject(new Error(GIVEN_UP));
    return new Promise((resolve, reject) => this.#waiting.set(key, { resolve, reject }));
  }

  give({ kind, microBatch, values }: StageValues): void {
    const key = `${kind} ${microBatch}`;
    const waiting = this.#waiting.get(key);
    if (!(microBatch >= 0 && microBatch < this.#microBatches) || (this.#values.has(key) && waiting === undefined))
      throw new Error(`Micro-batch ${microBatch} was given to a stage that has it, or knows none of it.`);
    this.#waiting.delete(key);
    this.#cameMs.set(key, performance.now());
    if (waiting === undefined) this.#values.set(key, values);
    else waiting.resolve(values);
  }

  cameMs(kind: StageValues['kind'], microBatch: number): number | undefined {
    return this.#cameMs.get(`${kind} ${microBatch}`);
  }

  end(): void {
    this.#over = true;
    for (const { reject } of this.#waiting.values()) reject(new Error(GIVEN_UP));
    this.#waiting.clear();
    this.#values.clear();
  }
}

interface RunningStage {
  readonly parts: AsyncGenerator<StagePart, void, void>;
  readonly inbox: StageInbox;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

export interface DeskTerms {
  readonly pace: Pace;
  readonly labelsPerSample: number;
  /** What takes more is refused before it is begun; it may become less. */
  readonly limitBytes?: () => number;
}

/** A device's stage, one round at a time, and what goes forward through it beside. */
export class StageDesk {
  readonly #engine: Engine;
  readonly #terms: DeskTerms;
  readonly #pace: Pace;
  readonly #labelsPerSample: number;
  #running: RunningStage | null = null;
  /** Settles when a stage that was given up has left the engine. */
  #ending: Promise<unknown> = Promise.resolve();
  #turn: Promise<void> = Promise.resolve();
  /** Of the orders, as they were set last. */
  #parameters: StageParameters | null = null;

  constructor(engine: Engine, terms: DeskTerms) {
    this.#engine = engine;
    this.#terms = terms;
    this.#pace = terms.pace;
    this.#labelsPerSample = terms.labelsPerSample;
  }

  get #limitBytes(): number {
    return this.#terms.limitBytes?.() ?? Number.POSITIVE_INFINITY;
  }

  get isBusy(): boolean {
    return this.#running !== null;
  }

  /** Settles when no stage is between two of its passes: the trained values are then nobody's. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running.ended;
    await this.#ending;
  }

  async setParameters(parameters: StageParameters): Promise<void> {
    await this.alone(() => setBlocks(this.#engine, parameters));
    this.#parameters = parameters;
  }

  async begin(order: StageOrder): Promise<void> {
    if (this.#running !== null) throw new Error('This device is still working on another stage.');
    await this.#ending;
    const fitting = fittingOrder(this.#engine, order, this.#limitBytes);
    const stop = new AbortController();
    const inbox = new StageInbox(order.microBatchSizes.length);
    // Nobody reads the labels but the head; an engine that has it wants as many as there are samples all the same.
    const labels = order.labels ?? new Float32Array(order.lengths.length * this.#labelsPerSample);
    const pause = stepPause(this.#pace, stop.signal);
    const parts = runStage(this.#engine, { ...fitting, labels }, inbox, pause, () => this.#turnOf());
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#running = { parts, inbox, stop, ended, end };
  }

  /** @throws Error where the running stage has no such micro-batch, or was given it before. */
  give(values: StageValues): void {
    if (this.#running === null) throw new Error('There is no stage to give hidden states to.');
    this.#running.inbox.give(values);
  }

  async next(): Promise<StagePart> {
    const running = this.#running;
    if (running === null) throw new Error('There is no stage to go on with.');
    try {
      const { value: part } = await running.parts.next();
      if (part === undefined) throw new Error(GIVEN_UP);
      if (part.kind === 'done') this.#finish(running);
      return part;
    } catch (error) {
      this.#finish(running);
      throw error;
    }
  }

  async cancel(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    running.stop.abort(new Error(GIVEN_UP));
    this.#finish(running);
    this.#ending = running.parts.return().catch(() => undefined);
    await this.#ending;
  }

  /** Beside a stage that waits for its neighbours, whose trained values are back afterwards. */
  evaluate(chunk: StageChunk): Promise<Float32Array> {
    return this.alone(async () => {
      const pause = stepPause(this.#pace, new AbortController().signal);
      const { lengths, tokens } = chunk;
      const needed = claimedBytes(this.#engine, lengths.length, longestOf(lengths, tokens), { savedLayers: 0 });
      refuseAbove(this.#limitBytes, needed, `${lengths.length} samples to evaluate`);
      try {
        await setBlocks(this.#engine, chunk.parameters);
        return await evaluateStage(this.#engine, chunk, this.#labelsPerSample, pause);
      } finally {
        if (this.#running !== null && this.#parameters !== null) await setBlocks(this.#engine, this.#parameters);
      }
    });
  }

  /** Work on the engine that no pass of a stage and no other work falls into. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const free = await this.#turnOf();
    try {
      return await work();
    } finally {
      free();
    }
  }

  #finish(running: RunningStage): void {
    if (this.#running === running) this.#running = null;
    running.inbox.end();
    running.end();
  }

  /** Settles when nobody uses the engine, with what lets the next one in. */
  #turnOf(): Promise<() => void> {
    const before = this.#turn;
    let free = (): void => undefined;
    this.#turn = new Promise((resolve) => {
      free = resolve;
    });
    return before.then(() => free);
  }
}
