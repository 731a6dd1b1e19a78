import { LEAST_SLICE_PAYLOAD_BYTES, SLICE_PAYLOAD_BYTES } from '../../../signaling/protocol/limits.ts';

/** What a sender saw since it last looked: bytes that the channel took off its hands, and whether it ran out of them meanwhile. */
export interface Drained {
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly ranDry: boolean;
}

export interface SendWindow {
  /** So much may be unsent. */
  readonly bytes: number;
  /** Rate at which the path takes bytes while it has some; null until it was seen. */
  readonly bytesPerMs: number | null;
  /** So late the sender is taken to come. */
  readonly lateMs: number;
}

/** A first burst of 256 KiB overflows common UDP receive buffers and stalls for seconds. */
const FIRST_BYTES = 128 * 1024;
/** Four slices: with fewer a path waits for its sender at every step. */
const LEAST_BYTES = 64 * 1024;
/** Browsers take 2 MB for a whole connection; what is short would wait behind more. */
export const MOST_BYTES = 1024 * 1024;
/**
 * A sender that shares its processor with an engine may come so late: browsers tell it of bytes that went some time after they did, so that a channel is
 * empty before it is seen to be. On a machine that has more to do, later: twice as late whenever it ran dry.
 */
const LATE_MS = 60;
const LATEST_MS = 160;
/** Of that at each look without; a machine that had much to do still may. */
const FORGIVEN = 0.95;
/** Of what is newly seen; timers and bursts scatter. */
const WEIGHT = 0.25;

export const FIRST_WINDOW: SendWindow = { bytes: FIRST_BYTES, bytesPerMs: null, lateMs: LATE_MS };

/**
 * As much as the path drains in a round trip and the time that a sender may come late: more only makes what is urgent wait, less leaves the
 * path empty. What ran dry was too little, whatever was measured: it is doubled. A path is seen before it is trusted with more than at first.
 * Never less than half of what it was: a sender looks again when half is unsent, and that must be room enough to go on.
 */
export function nextWindow(before: SendWindow, drained: Drained, roundTripMs: number): SendWindow {
  if (!(drained.elapsedMs > 0)) return before;
  const { bytes, bytesPerMs } = before;
  const lateMs = drained.ranDry ? Math.min(LATEST_MS, 2 * before.lateMs) : Math.max(LATE_MS, FORGIVEN * before.lateMs);
  const seen = drained.bytes / drained.elapsedMs;
  const rate = bytesPerMs === null ? seen : bytesPerMs + WEIGHT * (seen - bytesPerMs);
  const wanted = Math.max(rate * (roundTripMs + lateMs), drained.ranDry ? 2 * bytes : bytes / 2, LEAST_BYTES);
  return { bytes: Math.round(Math.min(MOST_BYTES, wanted)), bytesPerMs: rate, lateMs };
}

/** An urgent message waits for one slice: no longer than that, where the path is slow. */
const SLICE_MS = 5;

/** Payload of the slices of a message that is begun now. */
export const sliceBytes = ({ bytesPerMs }: SendWindow): number =>
  bytesPerMs === null
    ? SLICE_PAYLOAD_BYTES
    : Math.min(SLICE_PAYLOAD_BYTES, Math.max(LEAST_SLICE_PAYLOAD_BYTES, Math.round(SLICE_MS * bytesPerMs)));

/** Of round trips as pings tell them: bulk lengthens them, and a clock that is wrong must not. */
export const MOST_ROUND_TRIP_MS = 1000;
const TRIPS = 10;

/** The shortest of the last ten, in which a ping met least on its way. */
export class RoundTrips {
  readonly #lastMs: number[] = [];

  add(ms: number): void {
    if (!(ms >= 0)) return;
    this.#lastMs.push(Math.min(ms, MOST_ROUND_TRIP_MS));
    if (this.#lastMs.length > TRIPS) this.#lastMs.shift();
  }

  /** 0 while none is known. */
  get shortestMs(): number {
    return this.#lastMs.length === 0 ? 0 : Math.min(...this.#lastMs);
  }
}
