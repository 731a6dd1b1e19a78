import { MAX_HIDDEN_SAMPLES } from '../../../../signaling/protocol/limits.ts';
import type { RoomPlan } from '../../../../signaling/protocol/plan.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import { microBatchSizes } from '../../../../signaling/protocol/split.ts';
import type { TokenBatch } from '../../../../worker/api/batch.ts';
import * as say from '../../../words/session/rounds.ts';
import type { DeviceLinks, ParameterState } from '../device-links.ts';
import { type Order, startRound } from '../round.ts';
import { stageOf } from './places.ts';
import { sendStageChunk } from './stage-orders.ts';

/**
 * A chunk is asked for again when its pipeline answered nothing in so many times the seconds that a round of as many samples would take, and at
 * least so long. Chunks queue up in a pipeline: whatever it answers shows that it is at work.
 */
const LATE_FACTOR = 4;
const LATE_AT_LEAST_MS = 30_000;
/** Chunks of one evaluation that may fail or be late. */
const MAX_FAILURES = 6;
/** Chunks on their way through a pipeline, for each of its stages: all are busy, and none waits long. */
const CHUNKS_PER_STAGE = 2;
const TICK_MS = 1000;

export interface PipelineInput {
  readonly term: number;
  /** Counts the evaluations of this host. */
  readonly evaluation: number;
  readonly settings: SessionSettings;
  readonly plan: RoomPlan;
  /** Whether the room is still laid out as the plan says. */
  readonly isLaidOut: () => boolean;
  /** Examples in all. */
  readonly count: number;
  readonly labelCount: number;
  readonly chunk: (start: number, count: number) => Promise<TokenBatch>;
  readonly parameters: ParameterState;
  readonly deviceLinks: DeviceLinks;
  readonly nameOf: (device: string) => string;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

interface Asked {
  readonly start: number;
  readonly count: number;
  readonly pipeline: number;
  readonly askedMs: number;
}

/**
 * (examples, labels) logits of some examples that flow through the pipelines of a plan, forward only: every stage is told of every chunk, the last
 * one answers. Null where a stage was lost, or holds another run now: nothing is known then, and it begins again when the room is laid out anew.
 */
export function runPipeline(input: PipelineInput): Promise<Float32Array | null> {
  const { term, evaluation, settings, plan, count, labelCount, parameters, deviceLinks, nameOf, onProgress } = input;
  const orders = startRound({ term, round: 0, samples: count, plan }).owed.map(({ order }) => order);
  const pipelines = [...new Set(orders.map((order) => stageOf(order).pipeline))].map((pipeline) =>
    orders.filter((order) => stageOf(order).pipeline === pipeline),
  );
  const members = new Set(orders.map(({ device }) => device));
  // So many samples at once fit every stage in a round; forward only, they do all the more.
  const most = Math.max(1, Math.min(MAX_HIDDEN_SAMPLES, ...orders.map(({ microBatch }) => microBatch)));
  const all = new Float32Array(count * labelCount);
  const rounds = Math.max(1, MAX_HIDDEN_SAMPLES / settings.training.samplesPerRound);
  const patienceMs = Math.max(LATE_AT_LEAST_MS, LATE_FACTOR * 1000 * plan.latencySeconds * rounds);
  return new Promise((resolve, reject) => {
    const asked = new Map<number, Asked>();
    /** When each pipeline answered last. */
    const heardMs = pipelines.map(() => Number.NEGATIVE_INFINITY);
    const waiting: { readonly start: number; readonly count: number }[] = [];
    for (let start = 0; start < count; start += MAX_HIDDEN_SAMPLES)
      waiting.push({ start, count: Math.min(MAX_HIDDEN_SAMPLES, count - start) });
    let [done, next, failures, over] = [0, 0, 0, false];
    const off = deviceLinks.onEvent((event) => {
      if (event.type === 'detached' && members.has(event.device)) end(() => resolve(null));
      if (event.type !== 'message') return;
      const { header, tensors } = event.message;
      if (header.type !== 'logits' && header.type !== 'failed') return;
      if (!('chunk' in header.tag) || header.tag.evaluation !== evaluation || header.tag.term !== term) return;
      const own = asked.get(header.tag.chunk);
      const stages = own === undefined ? undefined : pipelines[own.pipeline];
      if (own === undefined || !stages?.some(({ device }) => device === event.device)) return;
      asked.delete(header.tag.chunk);
      heardMs[own.pipeline] = performance.now();
      if (header.type === 'failed') return failed(own, say.failed(nameOf(event.device), header.sentence));
      const logits = tensors[0];
      const isLast = stages.at(-1)?.device === event.device;
      if (!isLast || !(logits instanceof Float32Array) || logits.length !== own.count * labelCount)
        return failed(own, say.sentLogitsOfAnotherSize(nameOf(event.device)));
      all.set(logits, own.start * labelCount);
      done += own.count;
      onProgress(done, count);
      if (done === count) end(() => resolve(all));
      else feed();
    });
    const ticker = setInterval(() => {
      for (const [number, own] of asked) {
        if (performance.now() < Math.max(own.askedMs, heardMs[own.pipeline] ?? 0) + patienceMs) continue;
        asked.delete(number);
        failed(own, say.theAnswerOfTheStages);
      }
    }, TICK_MS);
    const onAbort = (): void => end(() => reject(new Error(say.theEvaluationWasEnded)));
    input.signal.addEventListener('abort', onAbort, { once: true });
    onProgress(0, count);
    if (input.signal.aborted) onAbort();
    else if ([...members].some((device) => !deviceLinks.has(device))) end(() => resolve(null));
    else if (count === 0) end(() => resolve(all));
    else feed();

    function end(act: () => void): void {
      if (over) return;
      over = true;
      clearInterval(ticker);
      off();
      input.signal.removeEventListener('abort', onAbort);
      act();
    }
    function failed(own: Asked, sentence: string): void {
      if (!input.isLaidOut()) {
        end(() => resolve(null));
        return;
      }
      failures++;
      waiting.unshift({ start: own.start, count: own.count });
      if (failures > MAX_FAILURES) end(() => reject(new Error(sentence)));
      else feed();
    }
    function feed(): void {
      if (over) return;
      for (const [pipeline, stages] of pipelines.entries()) {
        const busy = [...asked.values()].filter((own) => own.pipeline === pipeline).length;
        for (let free = CHUNKS_PER_STAGE * stages.length - busy; free > 0; free--) {
          const span = waiting.shift();
          if (span === undefined) return;
          const number = next++;
          asked.set(number, { ...span, pipeline, askedMs: performance.now() });
          void ask(number, span, stages);
        }
      }
    }
    async function ask(
      number: number,
      span: { start: number; count: number },
      stages: readonly Order[],
    ): Promise<void> {
      try {
        const { ids, lengths, tokens } = await input.chunk(span.start, span.count);
        if (over || !asked.has(number)) return;
        const sizes = microBatchSizes(span.count, Math.ceil(span.count / most));
        const tag = { term, evaluation, chunk: number };
        sendStageChunk(deviceLinks, settings, stages, parameters, { tag, sizes, ids, lengths, tokens });
      } catch (error) {
        end(() => reject(error));
      }
    }
  });
}
