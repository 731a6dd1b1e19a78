import type { TokenBatch } from '../../../worker/api/batch.ts';
import type { Fleet, FleetEvent, ParameterState } from './fleet.ts';

const CHUNK_SAMPLES = 32;
/** A chunk that takes so long is given to somebody else as well; the first answer counts. */
const CHUNK_PATIENCE_MS = 30_000;

export interface EvaluationInput {
  readonly examples: number;
  readonly labelCount: number;
  readonly devBatch: (start: number, count: number) => Promise<TokenBatch>;
  readonly parameters: ParameterState;
  readonly fleet: Fleet;
  /** Ids of devices that can evaluate now. */
  readonly trainers: () => readonly string[];
  readonly onProgress: (done: number, total: number) => void;
  /** Chunk numbers from here on are this evaluation's. */
  readonly firstChunk: number;
  readonly signal: AbortSignal;
}

interface Chunk {
  readonly id: number;
  readonly start: number;
  readonly count: number;
}

interface Running {
  readonly chunk: Chunk;
  readonly sinceMs: number;
}

/**
 * Logits (examples, labels) of the dev set, shared out over the devices: whoever is done takes the next chunk, so fast devices do more.
 * Chunks of devices that leave, fail or hang go back to the others. Waits while there is no device at all.
 */
export function runEvaluation(input: EvaluationInput): Promise<{ logits: Float32Array; nextChunk: number }> {
  const { examples, labelCount, fleet, parameters } = input;
  const chunkCount = Math.ceil(examples / CHUNK_SAMPLES);
  const waiting: Chunk[] = Array.from({ length: chunkCount }, (_, i) => ({
    id: input.firstChunk + i,
    start: i * CHUNK_SAMPLES,
    count: Math.min(CHUNK_SAMPLES, examples - i * CHUNK_SAMPLES),
  }));
  const running = new Map<string, Running>();
  const done = new Set<number>();
  const hanging = new Set<string>();
  const logits = new Float32Array(examples * labelCount);
  let doneExamples = 0;

  return new Promise((resolve, reject) => {
    const ticker = setInterval(tick, 1000);
    const off = fleet.onEvent(onEvent);
    const onAbort = (): void => end(() => reject(new Error('The session ended during an evaluation.')));
    input.signal.addEventListener('abort', onAbort, { once: true });

    function end(act: () => void): void {
      clearInterval(ticker);
      off();
      input.signal.removeEventListener('abort', onAbort);
      act();
    }
    function tick(): void {
      for (const [device, { chunk, sinceMs }] of running)
        if (performance.now() - sinceMs > CHUNK_PATIENCE_MS && !hanging.has(device)) {
          hanging.add(device);
          waiting.unshift(chunk);
        }
      feed();
    }
    function feed(): void {
      for (const device of input.trainers()) if (!running.has(device) && fleet.has(device)) void give(device);
    }
    async function give(device: string): Promise<void> {
      let chunk = waiting.shift();
      while (chunk !== undefined && done.has(chunk.id)) chunk = waiting.shift();
      if (chunk === undefined) return;
      const { id, start, count } = chunk;
      running.set(device, { chunk, sinceMs: performance.now() });
      try {
        const batch = await input.devBatch(start, count);
        const sent = fleet.sendWork(
          device,
          parameters,
          (withParameters) => ({
            type: 'evaluate',
            evaluation: id,
            version: parameters.version,
            parameters: withParameters,
            samples: count,
            tokens: batch.tokens,
          }),
          [batch.ids, batch.lengths],
        );
        if (!sent) putBack(device);
      } catch (error) {
        end(() => reject(error));
      }
    }
    function putBack(device: string): void {
      const entry = running.get(device);
      running.delete(device);
      if (entry !== undefined && !hanging.delete(device)) waiting.unshift(entry.chunk);
    }
    function onEvent(event: FleetEvent): void {
      if (event.type !== 'message') {
        if (!fleet.has(event.device)) putBack(event.device);
        feed();
        return;
      }
      const { header, tensors } = event.message;
      if (header.type === 'failed' && header.order === null) {
        // Its next try waits for the ticker, so that a device that always fails does not spin.
        putBack(event.device);
        return;
      }
      if (header.type !== 'logits') return;
      const entry = running.get(event.device);
      const values = tensors[0];
      if (entry === undefined || entry.chunk.id !== header.evaluation) return;
      const { chunk } = entry;
      running.delete(event.device);
      hanging.delete(event.device);
      if (!(values instanceof Float32Array) || values.length !== chunk.count * labelCount) {
        waiting.unshift(chunk);
        return;
      }
      if (!done.has(chunk.id)) {
        done.add(chunk.id);
        logits.set(values, chunk.start * labelCount);
        doneExamples += chunk.count;
        input.onProgress(doneExamples, examples);
      }
      if (done.size === chunkCount) end(() => resolve({ logits, nextChunk: input.firstChunk + chunkCount }));
      else feed();
    }

    input.onProgress(0, examples);
    feed();
  });
}
