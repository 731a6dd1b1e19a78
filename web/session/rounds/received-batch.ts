import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import type { TokenBatch } from '../../../worker/api/batch.ts';
import * as say from '../../words/session/rounds.ts';
import type { ParameterState } from './device-links.ts';

/** The samples that came with an order or an audit. Sizes and values were validated when the message was read; this names them. */
export function receivedBatch(tensors: readonly FrameTensor[], tokens: number): TokenBatch {
  const [ids, lengths, labels, positions] = tensors;
  if (
    !(ids instanceof Int32Array && lengths instanceof Int32Array) ||
    !(labels instanceof Float32Array && positions instanceof Int32Array)
  )
    throw new Error(say.anOrderCameWithout);
  return { ids, lengths, labels, positions, tokens };
}

/** Bytes that a waiting message keeps in memory. */
export const heldBytes = ({ tensors }: Pick<DataMessage, 'tensors'>): number =>
  tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);

/** Whether the first chunk is of an evaluation before the second's. */
export const isEarlier = (a: DataMessage<'evaluate'>['header'], b: DataMessage<'evaluate'>['header']): boolean =>
  a.tag.term < b.tag.term || (a.tag.term === b.tag.term && a.tag.evaluation < b.tag.evaluation);

/** Takes the next one out of what waits: nobody waits for an audit. */
export function nextWork<Queued extends Pick<DataMessage, 'header'>>(queue: Queued[]): Queued | undefined {
  const awaited = queue.findIndex(({ header }) => header.type !== 'audit');
  return queue.splice(Math.max(0, awaited), 1)[0];
}

/** The latest parameters that a device was sent with each kind of work. */
export type SentParameters = Record<'order' | 'evaluate', ParameterState | null>;

/** Keeps what came with work. */
export function keepParameters(
  sent: SentParameters,
  header: DataMessage<'order' | 'evaluate'>['header'],
  tensors: readonly FrameTensor[],
): void {
  const values = tensors.at(-1);
  if (!header.parameters || !(values instanceof Float32Array)) return;
  const { version } = header;
  sent[header.type] = { version, values };
  // Orders go back only where rounds were undone: what was to be evaluated of those never was.
  if (header.type === 'order' && sent.evaluate !== null && sent.evaluate.version >= version) sent.evaluate = null;
}
