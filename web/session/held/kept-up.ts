import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { encodeRounded } from '../../../signaling/protocol/exchange/upload-codec.ts';
import type { Uploads } from '../../../signaling/protocol/settings.ts';
import type { LearnedState, StateUpdate } from '../../../worker/api/host-api.ts';
import type { MessageLink } from '../links/message-link.ts';
import type { HeldVersion } from './keeping-up.ts';

/** A device that drifts, or loses its state, so often over one link gets parameters with its orders instead. */
const MAX_WHOLES = 8;

/** The host's view of one device's copy of what the session has learned, and what goes over its link to keep it up to date. */
export class KeptUp {
  readonly #link: MessageLink;
  #held: HeldVersion | null = null;
  #wholes = 0;

  constructor(link: MessageLink) {
    this.#link = link;
  }

  /** As the device says, or as it was sent; null for nothing. */
  get held(): HeldVersion | null {
    return this.#held;
  }

  says(held: HeldVersion | null): void {
    this.#held = held;
  }

  has(version: number, digest: number | undefined): boolean {
    return digest !== undefined && this.#held?.version === version && this.#held.digest === digest;
  }

  get mayHaveWhole(): boolean {
    return this.#wholes < MAX_WHOLES;
  }

  sendWhole(term: number, state: LearnedState): void {
    if (!this.mayHaveWhole) return;
    this.#wholes += 1;
    const { version, steps, digest, values, firstMoment, secondMoment } = state;
    const header = { type: 'state', term, version, steps, digest } as const;
    void this.#link.send({ header: { ...header, vector: 'parameters' }, tensors: [values] });
    void this.#link.send({ header: { ...header, vector: 'first-moment' }, tensors: [firstMoment] });
    void this.#link.send({ header: { ...header, vector: 'second-moment' }, tensors: [secondMoment] });
    this.#held = { version, digest };
  }

  /** The step from `before` to the version after it. */
  sendStep(before: HeldVersion, message: DataMessage<'update'>): void {
    if (!this.has(before.version, before.digest)) return;
    void this.#link.send(message);
    const { version, digest } = message.header;
    this.#held = { version, digest };
  }
}

export function stepMessage(
  term: number,
  before: HeldVersion,
  update: StateUpdate | null,
  uploads: Uploads,
): DataMessage<'update'> {
  const version = before.version + 1;
  const digest = update?.digest ?? before.digest;
  return {
    header: { type: 'update', term, version, learningRate: update?.learningRate ?? 0, digest },
    tensors: update === null ? [new Float32Array(0)] : encodeRounded(update.gradient, uploads),
  };
}
