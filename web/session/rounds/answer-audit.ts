import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { encodeUploads } from '../../../signaling/protocol/exchange/upload-codec.ts';
import type { Block } from '../../../signaling/protocol/round.ts';
import type { ModelWorker } from './model-worker.ts';
import { receivedBatch } from './received-batch.ts';

/** Audits that may wait at a device; a host asks for few at a time, and others where one is slow. */
export const MAX_WAITING_AUDITS = 16;

/**
 * Computes again what another device did in an earlier round, with the parameters of then, and rounds it as that device had to.
 * @throws what the worker throws; it is free for other work then, too.
 */
export async function answerAudit(
  model: ModelWorker,
  values: Float32Array,
  { header, tensors }: DataMessage<'audit'>,
): Promise<DataMessage<'audited'>> {
  const { tag, round, layers, head, microBatch, recompute, dropout } = header;
  const batch = receivedBatch(tensors, header.tokens);
  const parts: { readonly block: Block; readonly gradient: Float32Array }[] = [];
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
        parts.push(part);
        continue;
      }
      isOver = true;
      const lossSum = head && Number.isFinite(part.lossSum) ? part.lossSum : null;
      const { computeSeconds } = part;
      const blocks = parts.map(({ block }) => block);
      const key = { seed: dropout.seed, round, position: batch.positions[0]! };
      const tensors = encodeUploads(parts, model.settings.training.uploads, key);
      return { header: { type: 'audited', tag, blocks, lossSum, computeSeconds }, tensors };
    }
  } finally {
    if (!isOver) await model.open(api.cancel());
  }
}
