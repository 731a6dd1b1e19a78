import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame, encodeFrame, SLICE_HEADER_BYTES, slices } from '../../signaling/protocol/exchange/frames.ts';
import type { MessageLink } from '../../web/session/links/message-link.ts';
import { beginProof, type ProofEffect, type ProofTerms, stepProof } from '../../web/session/links/proof.ts';
import type { FakeChannel } from './fake-channel.ts';

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

/** Of a link whose ends both know the session's secret. */
export function termsOf(own: 'host' | 'device', change: Partial<ProofTerms> = {}): ProofTerms {
  const [a, b] = own === 'host' ? ['A', 'B'] : ['B', 'A'];
  return {
    own,
    room: 'abc234',
    host: 'hosthost',
    device: 'bbbbbbbb',
    ownFingerprint: a.repeat(64),
    otherFingerprint: b.repeat(64),
    keys: { secret: new Uint8Array(32).fill(7) },
    expected: true,
    nonce: new Uint8Array(32).fill(own === 'host' ? 1 : 2),
    digitsNonce: new Uint8Array(32).fill(own === 'host' ? 3 : 4),
    ...change,
  };
}

/** Proves itself to the link at the other end of `channel`, and says nothing more: the test may then make the channel say anything. */
export function introduce(channel: FakeChannel, terms: ProofTerms): void {
  const begun = beginProof(terms);
  let { state } = begun;
  const perform = (effects: readonly ProofEffect[]): void => {
    for (const effect of effects)
      if (effect.type === 'send') channel.send(new Uint8Array(whole(encodeFrame(effect.header, []))));
  };
  channel.addEventListener('message', ({ data }) => {
    if (!(data instanceof ArrayBuffer) || state.stage === 'over') return;
    const stepped = stepProof(state, decodeFrame(new Uint8Array(data, SLICE_HEADER_BYTES)).header);
    state = stepped.state;
    perform(stepped.effects);
  });
  perform(begun.effects);
}
