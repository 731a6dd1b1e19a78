import * as say from '../../words/session/links.ts';
import { Emitter } from '../world/emitter.ts';
import { whileOpen } from '../world/ending.ts';
import type { MessageLink } from './message-link.ts';

/** A host that answers nothing for so long does not answer. */
const PROBE_TIMEOUT_MS = 20_000;
/** A path that does not settle by then is what it was last; nor is more of a person's data spent on it. */
const LONGEST_MS = 5000;
const MOST_BYTES = 8 * 1024 * 1024;
/** f32 values of the first messages, and of the longest. */
const FIRST_VALUES = 4 * 1024;
const MOST_VALUES = 64 * 1024;
/** Bytes on their way at first. */
const FIRST_UNDER_WAY_BYTES = 4 * 4 * FIRST_VALUES;
/** Afterwards twice what comes in a round trip and the time that a sender may come late: a path that takes more shows it, a slow one is not filled. */
const LATE_MS = 25;
/** So many messages are that, as far as they may be long: enough to time, few enough for a peer that counts them. */
const MESSAGES_UNDER_WAY = 16;

/**
 * Rate in bit/s from here to the host with the whole link to itself, as rounds will see it: WebRTC begins slowly and machines do other things, so
 * bytes are sent until the two quickest spans are alike. The host answers probes with `answerProbes`. Rejects when the host does not answer in time, and as soon as the link closes.
 */
export async function measureLink(link: MessageLink): Promise<number> {
  return (await probeLink(link)).bitsPerSecond;
}

export interface ProbeBounds {
  readonly mostBytes: number;
  readonly longestMs: number;
}

export interface Probed {
  readonly bitsPerSecond: number;
  /** False where a bound ended it while bytes still came faster and faster, or too few came to tell. */
  readonly isSettled: boolean;
}

/** The same, within other bounds. */
export async function probeLink(
  link: MessageLink,
  bounds: ProbeBounds = { mostBytes: MOST_BYTES, longestMs: LONGEST_MS },
): Promise<Probed> {
  const answer = new Emitter<number>();
  const off = link.onMessage(({ header }) => {
    if (header.type === 'probed') answer.emit(header.probe);
  });
  try {
    await answered(link, answer, 1);
    const startMs = performance.now();
    await answered(link, answer, 2);
    return await filled(link, answer, performance.now() - startMs, bounds);
  } finally {
    off();
  }
}

/** One short probe there and back. */
function answered(link: MessageLink, answer: Emitter<number>, probe: number): Promise<void> {
  return timely(link, (done) => {
    const off = answer.on((id) => id === probe && done());
    void link.send({ header: { type: 'probe', probe }, tensors: [] });
    return off;
  });
}

/** Bulk, until its rate has settled. */
async function filled(
  link: MessageLink,
  answer: Emitter<number>,
  roundTripMs: number,
  { mostBytes, longestMs }: ProbeBounds,
): Promise<Probed> {
  const startMs = performance.now();
  const answers: Answered[] = [];
  const underWay = new Map<number, number>();
  let probe = 2;
  let values = FIRST_VALUES;
  let roomBytes = FIRST_UNDER_WAY_BYTES;
  let underWayBytes = 0;
  let sentBytes = 0;
  return timely<Probed>(link, (done, alive) => {
    const send = (): void => {
      while (underWayBytes < roomBytes && sentBytes < mostBytes) {
        underWay.set(++probe, 4 * values);
        underWayBytes += 4 * values;
        sentBytes += 4 * values;
        void link.send({ header: { type: 'probe', probe }, tensors: [new Float32Array(values)] });
      }
    };
    const off = answer.on((id) => {
      const bytes = underWay.get(id);
      if (bytes === undefined) return;
      alive();
      underWay.delete(id);
      underWayBytes -= bytes;
      const atMs = performance.now();
      answers.push({ atMs, bytes });
      if (answers.length > 1)
        roomBytes = Math.max(FIRST_UNDER_WAY_BYTES, (2 * rateOf(answers) * (roundTripMs + LATE_MS)) / 8000);
      values = Math.ceil(Math.min(MOST_VALUES, Math.max(FIRST_VALUES, roomBytes / 4 / MESSAGES_UNDER_WAY)));
      const rate = settledRate(answers, roundTripMs);
      if (rate !== null) done({ bitsPerSecond: rate, isSettled: true });
      else if (answers.length > 1 && (underWay.size === 0 || atMs - startMs > longestMs))
        done({ bitsPerSecond: unsettledRate(answers, roundTripMs), isSettled: false });
      else send();
    });
    send();
    return off;
  });
}

/** What `start` says is done. Rejects when it does not say that it is alive for a while, or the link closes. `start` returns what ends it. */
function timely<T = void>(
  link: MessageLink,
  start: (done: (value: T) => void, alive: () => void) => () => void,
): Promise<T> {
  let stop = (): void => undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const work = new Promise<T>((resolve, reject) => {
    const alive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => reject(new Error(say.theHostDidNotAnswer)), PROBE_TIMEOUT_MS);
    };
    alive();
    stop = start(resolve, alive);
  });
  return whileOpen(link.onClose, work).finally(() => {
    clearTimeout(timer);
    stop();
  });
}

/** The host's side of `measureLink`. */
export function answerProbes(link: MessageLink): void {
  link.onMessage(({ header }) => {
    if (header.type === 'probe') void link.send({ header: { type: 'probed', probe: header.probe }, tensors: [] });
  });
}

/** Bytes of a probe, and when the other side said that they had come. */
export interface Answered {
  readonly atMs: number;
  readonly bytes: number;
}

/** A span is that long: enough for bursts and timers, and for what slow start gains in a few round trips to show. */
const SPAN_MS = 150;
const SPAN_ROUND_TRIPS = 3;
/** And longer where fewer answers came, which say little. */
const LEAST_ANSWERS = 4;
/** Two spans are of the same rate that differ by no more. */
const ALIKE = 1.1;
/** A path whose last span gained more on all before is still getting up to speed, be it by a packet each round trip. */
const STILL_RISING = 1.03;

/** Bursts may put answers in the same millisecond. */
const LEAST_MS = 0.1;

/** Rate in bit/s of one span after the other. */
function spanRates(answers: readonly Answered[], roundTripMs: number): number[] {
  const spanMs = Math.max(SPAN_MS, SPAN_ROUND_TRIPS * roundTripMs);
  const rates: number[] = [];
  let from = 0;
  for (let i = 1; i < answers.length; i++) {
    if (i - from < LEAST_ANSWERS || answers[i]!.atMs - answers[from]!.atMs < spanMs) continue;
    rates.push(between(answers, from, i));
    from = i;
  }
  return rates;
}

/**
 * Rate in bit/s of the second quickest span; null before there are two. Whatever else runs on a machine only makes spans slower, but for the one
 * after a standstill, in which what had piled up comes at once: so the quickest alone is not believed.
 */
function secondBest(rates: readonly number[]): number | null {
  return rates.toSorted((a, b) => b - a)[1] ?? null;
}

/** The same once it is the rate of the quickest, too, and the path no longer rises. */
export function settledRate(answers: readonly Answered[], roundTripMs: number): number | null {
  const rates = spanRates(answers, roundTripMs);
  const found = secondBest(rates);
  const last = rates.at(-1);
  if (found === null || last === undefined || last > STILL_RISING * found) return null;
  return Math.max(...rates) <= ALIKE * found ? found : null;
}

/** What a path that did not settle carries: the second quickest of three spans or more, or what `rateOf` says of fewer. */
function unsettledRate(answers: readonly Answered[], roundTripMs: number): number {
  const rates = spanRates(answers, roundTripMs);
  return Math.max(rateOf(answers), (rates.length > 2 ? secondBest(rates) : null) ?? 0);
}

/** Of the later half of at least two answers, which are nearer to what a path carries in the end. */
export function rateOf(answers: readonly Answered[]): number {
  const last = answers.length - 1;
  return between(answers, Math.min(last - 1, Math.floor(last / 2)), last);
}

/** What came after the one answer until the other. */
function between(answers: readonly Answered[], from: number, to: number): number {
  const bytes = answers.slice(from + 1, to + 1).reduce((sum, answer) => sum + answer.bytes, 0);
  return (bytes * 8000) / Math.max(LEAST_MS, answers[to]!.atMs - answers[from]!.atMs);
}
