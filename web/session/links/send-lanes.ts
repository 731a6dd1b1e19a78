import { type DataMessage, encodeMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { slices } from '../../../signaling/protocol/exchange/frames.ts';
import { SLICE_PAYLOAD_BYTES } from '../../../signaling/protocol/limits.ts';
import type { SendPace } from './message-link.ts';

/** A paced sender may run ahead of its share by so much, so that timers need not be exact. */
const BURST_BYTES = 64 * 1024;
/** A slice goes at least so often, however small the share: an upload that never ends holds up the round. */
const SLOWEST_SLICE_MS = 10_000;
/** Timers are no finer. */
const SOON_MS = 1;

/**
 * What others wait for goes first: hidden states, on which a whole pipeline may wait; then gradients, which end a round; then all else but
 * the model's own files, for which no round waits. A message in a lane before others gets in between their slices.
 */
const LANES = 4;
function laneOf({ header: { type } }: DataMessage): number {
  if (type === 'hidden') return 0;
  if (type === 'gradient') return 1;
  return type === 'model-piece' ? 3 : 2;
}

interface Sending {
  readonly message: DataMessage;
  readonly pace: SendPace | null;
  readonly settle: () => void;
  begun: {
    readonly rest: Iterator<Uint8Array<ArrayBuffer>>;
    readonly startMs: number;
    slice: Uint8Array<ArrayBuffer>;
    pacedBytes: number;
    readyMs: number;
  } | null;
}

export type NextSlice =
  | { readonly kind: 'slice'; readonly slice: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'wait'; readonly ms: number };

/** Bulk messages that wait to be sent, and those of which a part is: one for each lane at most. */
export class SendLanes {
  readonly #lanes: readonly Sending[][] = Array.from({ length: LANES }, () => []);

  get waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.length, 0);
  }

  /** Settles when the last slice was taken, or the lanes were cleared. */
  add(message: DataMessage, pace: SendPace | null): Promise<void> {
    return new Promise((settle) => {
      this.#lanes[laneOf(message)]!.push({ message, pace, settle, begun: null });
    });
  }

  /**
   * The slice that goes now, or how long until one may; null where nothing waits. `number` numbers a message that is begun, whose slices are
   * `sliceBytes` long.
   */
  next(nowMs: number, number: () => number, sliceBytes = SLICE_PAYLOAD_BYTES): NextSlice | null {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes) {
      const [sending] = lane;
      if (sending === undefined) continue;
      const begun = begin(sending, nowMs, number, sliceBytes);
      if (begun.readyMs > nowMs + SOON_MS) {
        soonestMs = Math.min(soonestMs, begun.readyMs);
        continue;
      }
      const { slice } = begun;
      const following = begun.rest.next();
      if (following.done === true) {
        lane.shift();
        sending.settle();
      } else {
        begun.slice = following.value;
        paceSlice(begun, sending.pace, nowMs);
      }
      return { kind: 'slice', slice };
    }
    return soonestMs === Number.POSITIVE_INFINITY ? null : { kind: 'wait', ms: soonestMs - nowMs };
  }

  clear(): void {
    for (const lane of this.#lanes) for (const { settle } of lane.splice(0)) settle();
  }
}

function begin(
  sending: Sending,
  nowMs: number,
  number: () => number,
  sliceBytes: number,
): NonNullable<Sending['begun']> {
  if (sending.begun !== null) return sending.begun;
  const rest = slices(encodeMessage(sending.message), number(), sliceBytes);
  // A message has its header at least.
  const slice: Uint8Array<ArrayBuffer> = rest.next().value ?? new Uint8Array();
  const begun = { rest, startMs: nowMs, slice, pacedBytes: -BURST_BYTES, readyMs: nowMs };
  paceSlice(begun, sending.pace, nowMs);
  sending.begun = begun;
  return begun;
}

function paceSlice(begun: NonNullable<Sending['begun']>, pace: SendPace | null, nowMs: number): void {
  if (pace === null) return;
  begun.pacedBytes += begun.slice.length;
  const dueMs = begun.startMs + (begun.pacedBytes * 8 * 1000) / pace.bitsPerSecond;
  begun.readyMs = Math.min(dueMs, nowMs + SLOWEST_SLICE_MS);
}
