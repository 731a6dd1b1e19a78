import type { InferOutput } from 'valibot';
import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { SentSchema, StageHeader } from '../../../signaling/protocol/exchange/stage-messages.ts';
import { encodeUpload } from '../../../signaling/protocol/exchange/upload-codec.ts';
import type { StageParameters } from '../../../worker/api/stage-api.ts';
import * as say from '../../words/session/stages.ts';
import type { ModelWorker } from '../rounds/model-worker.ts';
import { PassReport } from './pass-report.ts';
import type { Received, StageRound } from './stage-round.ts';

type Hidden = DataMessage<'hidden'>;

export interface RunnerContext {
  readonly self: string;
  /** To a neighbour. */
  readonly say: (message: Hidden) => void;
  readonly sent: () => InferOutput<typeof SentSchema>;
  /** The worker takes what neighbours say from now on. */
  readonly onBegun: () => void;
  readonly onDone: () => void;
  readonly onFailed: (header: StageHeader<'stage-order'>, error: unknown) => void;
  /** No order is under way any more. */
  readonly onIdle: () => void;
}

/** Where an order came from, and how fast its gradients may go there. */
export interface ToHost {
  send(message: DataMessage, pace?: { readonly bitsPerSecond: number }): Promise<void>;
  readonly bitsPerSecond: number;
}

/** Orders at once, of which all but the last were taken back. */
const MAX_GOING = 8;

/** One order of a stage at a time, and the worker that does it. */
export class StageRunner {
  readonly model: ModelWorker;
  readonly #context: RunnerContext;
  #round: StageRound | null = null;
  /** Those whose work has begun and not ended. */
  #going = 0;
  /** The round that the worker was told to begin; and the one that it has begun, which takes what neighbours say. */
  #running: StageRound | null = null;
  #begun: StageRound | null = null;

  constructor(model: ModelWorker, context: RunnerContext) {
    this.model = model;
    this.#context = context;
  }

  /** What it is at, or has done and may have to say again. */
  get round(): StageRound | null {
    return this.#round;
  }

  get isIdle(): boolean {
    return this.#going === 0;
  }

  /** Orders that were taken back wait with what they brought until the worker is free to see that. */
  get isFull(): boolean {
    return this.#going >= MAX_GOING;
  }

  begin(round: StageRound, parameters: StageParameters, host: ToHost): void {
    this.end();
    this.#round = round;
    this.#going++;
    this.#run(round, parameters, host)
      .catch((error: unknown) => {
        if (this.#round === round) this.#round = null;
        this.#context.onFailed(round.header, error);
      })
      .finally(() => {
        if (--this.#going === 0) this.#context.onIdle();
      });
  }

  /** What is kept of the round goes; a worker that is still at it stops. */
  end(): void {
    this.#round = null;
    if (this.#running !== null) void this.model.api.cancel().catch(() => undefined);
  }

  /** What is said to the order that this is at; before its passes have begun, too early. */
  receive(message: Hidden, sender: string): Received {
    const round = this.#round;
    if (round === null || this.#begun !== round) return { kind: 'early' };
    const received = round.receive(message, sender);
    if (received.kind === 'given') void this.model.api.give(received.values).catch(() => undefined);
    return received;
  }

  async #run(round: StageRound, parameters: StageParameters, host: ToHost): Promise<void> {
    const { model } = this;
    const { self, say: send, sent, onBegun, onDone } = this.#context;
    const { tag, share } = round.header;
    const { dropout, positions } = round.order;
    const isWanted = (): boolean => this.#round === round;
    const report = new PassReport((passes) => {
      if (isWanted()) void host.send({ header: { type: 'passed', tag, passes: [...passes] }, tensors: [] });
    });
    const pace = { bitsPerSecond: Math.max(1, share * host.bitsPerSecond) };
    try {
      await model.hold(round.order.run);
      await model.alone(async () => {
        await model.open(model.api.cancel());
        if (!isWanted()) return;
        await model.setStageParameters(parameters);
        if (!isWanted()) return;
        this.#running = round;
        await model.open(model.api.beginStage(round.order));
        this.#begun = round;
      });
      if (!isWanted()) return;
      onBegun();
      for (;;) {
        const part = await model.open(model.api.nextOfStage());
        if (!isWanted()) return;
        if (part.kind === 'passed') report.add(part);
        else if (part.kind === 'gradient') {
          const { block, gradient } = part;
          const key = { seed: dropout.seed, round: tag.round, block, position: positions[0]! };
          const tensors = encodeUpload(gradient, model.settings.training.uploads, key);
          void host.send({ header: { type: 'gradient', tag, block }, tensors }, pace);
        } else if (part.kind === 'done') {
          this.#running = null;
          report.flush();
          const lossSum = Number.isFinite(part.lossSum) ? part.lossSum : null;
          const { computeSeconds } = part;
          const cuts = round.header.checked ? { cuts: round.digests() } : {};
          void host.send({
            header: { type: 'done', tag, lossSum, computeSeconds, sent: sent(), ...cuts },
            tensors: [],
          });
          onDone();
          return;
        } else {
          const message = round.say(part, self);
          if (message === null) throw new Error(say.hiddenStatesAreNotFinite);
          send(message);
        }
      }
    } catch (error) {
      if (isWanted()) throw error;
    } finally {
      report.stop();
      // Left before its end: the worker takes nothing else until this one is given up.
      if (this.#running === round) {
        this.#running = null;
        if (!model.isClosed) await model.open(model.api.cancel());
      }
    }
  }
}
