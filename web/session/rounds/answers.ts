import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { encodeUploads } from '../../../signaling/protocol/exchange/upload-codec.ts';
import type { Block } from '../../../signaling/protocol/round.ts';
import { labelsPerSample } from '../../../signaling/protocol/settings.ts';
import type { DeviceWorkerApi } from '../../../worker/api/device-api.ts';
import * as say from '../../words/session/rounds.ts';
import type { ModelWorker } from './model-worker.ts';
import { receivedBatch } from './received-batch.ts';
import { samplesOf } from './run-round.ts';

/** Audits that may wait at a device; a host asks for few at a time, and others where one is slow. */
export const MAX_WAITING_AUDITS = 16;
/** What is begun of an audit while no order is there makes the next one wait: a tenth of an order at most, or this. */
const SLICE_SHARE = 0.1;
const SLICE_SECONDS = 0.25;

/** Of a model what an audit needs. */
type Auditing = Pick<ModelWorker, 'settings' | 'alone' | 'open' | 'setParameters'> & {
  readonly api: Pick<DeviceWorkerApi, 'begin' | 'next' | 'cancel'>;
};

/** What this device's latest order took. */
export interface OrderPace {
  readonly samples: number;
  readonly seconds: number;
}

/** Samples of an audit that are computed before it is looked whether somebody waits; all of them where nothing is known. */
export function sliceSamples(latest: OrderPace | null): number {
  if (latest === null || !(latest.seconds > 0)) return Number.POSITIVE_INFINITY;
  const seconds = Math.max(SLICE_SECONDS, SLICE_SHARE * latest.seconds);
  return Math.max(1, Math.floor((latest.samples * seconds) / latest.seconds));
}

/**
 * Computes again what another device did in an earlier round, with the parameters of then, and rounds it as that device had to. Gradients are sums
 * over samples, so it can be done in slices, with this device's own orders in between: no round waits for an audit for longer than a slice.
 */
export class AuditAnswer {
  readonly work: DataMessage<'audit'>;
  readonly #parts = new Map<Block, Float32Array>();
  #done = 0;
  #lossSum = 0;
  #computeSeconds = 0;

  constructor(work: DataMessage<'audit'>) {
    this.work = work;
  }

  /**
   * The answer when the last sample is done, null before.
   * @throws what the worker throws; it is free for other work then, too.
   */
  async next(model: Auditing, samples: number): Promise<DataMessage<'audited'> | null> {
    const { header, tensors } = this.work;
    const values = tensors.at(-1);
    if (!(values instanceof Float32Array)) throw new Error(say.anAuditCameWithout);
    const { tag, round, head, dropout } = header;
    const whole = receivedBatch(tensors, header.tokens);
    const total = whole.lengths.length;
    const count = Math.min(samples, total - this.#done);
    const batch = count === total ? whole : samplesOf(whole, this.#done, count);
    await this.#compute(model, values, batch);
    this.#done += count;
    if (this.#done < total) return null;
    const lossSum = head && Number.isFinite(this.#lossSum) ? this.#lossSum : null;
    const blocks = [...this.#parts.keys()];
    const parts = [...this.#parts].map(([block, gradient]) => ({ block, gradient }));
    const key = { seed: dropout.seed, round, position: whole.positions[0]! };
    const answer = encodeUploads(parts, model.settings.training.uploads, key);
    return {
      header: { type: 'audited', tag, blocks, lossSum, computeSeconds: this.#computeSeconds },
      tensors: answer,
    };
  }

  async #compute(model: Auditing, values: Float32Array, batch: ReturnType<typeof receivedBatch>): Promise<void> {
    const { round, layers, head, microBatch, recompute, dropout } = this.work.header;
    const { api } = model;
    let isOver = false;
    try {
      await model.alone(async () => {
        await model.setParameters(values);
        await model.open(api.begin({ round, batch, layers, head, microBatch, recompute, dropout }));
      });
      for (;;) {
        const part = await model.open(api.next());
        if (part.kind === 'gradient') {
          const sum = this.#parts.get(part.block);
          if (sum === undefined) this.#parts.set(part.block, part.gradient);
          else for (let i = 0; i < sum.length; i++) sum[i]! += part.gradient[i]!;
          continue;
        }
        isOver = true;
        this.#lossSum += part.lossSum;
        this.#computeSeconds += part.computeSeconds;
        return;
      }
    } finally {
      if (!isOver) await model.open(api.cancel());
    }
  }
}

/** Logits of a piece of a dev set, with the seconds that this device was at it: what it may do beside rounds is counted by them. */
export async function answerEvaluation(
  model: ModelWorker,
  { header, tensors }: DataMessage<'evaluate'>,
  setVersion: () => Promise<void>,
): Promise<DataMessage<'logits'>> {
  const [ids, lengths] = tensors;
  const none = new Float32Array(header.samples * labelsPerSample(model.settings.task));
  const batch = receivedBatch([ids, lengths, none, new Int32Array(header.samples)], header.tokens);
  return model.alone(async () => {
    const startMs = performance.now();
    await setVersion();
    const logits = await model.open(model.api.evaluate(batch));
    const seconds = Math.max(0, (performance.now() - startMs) / 1000);
    return { header: { type: 'logits', tag: header.tag, seconds }, tensors: [logits] };
  });
}
