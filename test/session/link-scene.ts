import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { slices } from '../../signaling/protocol/exchange/frames.ts';
import type { MessageLink } from '../../web/session/links/message-link.ts';

export const bulk = (floats: number): DataMessage<'probe'> => ({
  header: { type: 'probe', probe: 1 },
  tensors: [new Float32Array(floats)],
});
export const short: DataMessage<'abandon'> = {
  header: { type: 'abandon', tag: { term: 1, round: 1, order: 1, epoch: 1 } },
  tensors: [],
};

export function endOf(link: MessageLink): { why: string | null; atMs: number } {
  const seen: { why: string | null; atMs: number } = { why: null, atMs: 0 };
  const startMs = performance.now();
  link.onClose((why) => Object.assign(seen, { why, atMs: performance.now() - startMs }));
  return seen;
}

export function arrived(link: MessageLink): string[] {
  const types: string[] = [];
  link.onMessage(({ header }) => types.push(header.type));
  return types;
}

/** A message small enough for one slice, as it comes off a channel. */
export function whole(message: Uint8Array<ArrayBuffer>): ArrayBuffer {
  const [slice] = slices(message, 77);
  return slice.buffer;
}
