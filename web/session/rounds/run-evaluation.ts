import type { TokenBatch } from '../../../worker/api/batch.ts';
import * as say from '../../words/session/rounds.ts';
import type { Listeners } from '../world/emitter.ts';
import type { DeviceLinks, DeviceLinksEvent, ParameterState } from './device-links.ts';
import type { Evaluator, Span } from './evaluation-pieces.ts';
import {
  type Allowance,
  beginEvaluation,
  type EvaluationEffect,
  type EvaluationEvent,
  isTurn,
  stepEvaluation,
} from './evaluation-step.ts';
import { StepLoop } from './step-loop.ts';

const TICK_MS = 1000;

export interface EvaluationInput {
  readonly term: number;
  /** Counts the evaluations of this host. */
  readonly evaluation: number;
  /** Of each example, in the order in which they are evaluated. */
  readonly lengths: ArrayLike<number>;
  readonly labelCount: number;
  readonly chunk: (start: number, count: number) => Promise<TokenBatch>;
  readonly parameters: ParameterState;
  /** Rounds go on meanwhile. */
  readonly beside: boolean;
  readonly deviceLinks: DeviceLinks;
  /** Devices that can evaluate now. */
  readonly evaluators: () => readonly Evaluator[];
  /** Called when `evaluators` may answer differently. */
  readonly onTrainers: Listeners<void>;
  readonly nameOf: (device: string) => string;
  readonly onProgress: (done: number, total: number) => void;
  /** At its end: who was waited for too long, and who answered. */
  readonly onConduct: (late: readonly string[], answered: readonly string[]) => void;
  readonly signal: AbortSignal;
}

/** Examples that a device evaluated. */
export interface Answered extends Span {
  readonly device: string;
}

/** An evaluation under way. */
export interface RunningEvaluation {
  /** (examples, labels) */
  readonly logits: Promise<Float32Array>;
  /** Whose answers they are, of those that are here. */
  readonly answered: readonly Answered[];
  /** A round began: what devices may evaluate beside it. */
  allow(allowances: ReadonlyMap<string, Allowance>): void;
  /** Rounds do not go on any more. */
  hurry(): void;
}

/**
 * Logits of dev examples, shared out over the devices. Who does what is decided by `evaluation-step.ts`; this is its rim. Waits while there
 * is no device at all.
 */
export function runEvaluation(input: EvaluationInput): RunningEvaluation {
  const { term, evaluation, lengths, labelCount, beside, deviceLinks, nameOf, onProgress } = input;
  const all = new Float32Array(lengths.length * labelCount);
  const able = (): readonly Evaluator[] => input.evaluators().filter(({ device }) => deviceLinks.has(device));
  const begun = beginEvaluation({ term, evaluation, lengths, beside, able: able(), atMs: performance.now() });
  let perform: (effect: EvaluationEffect) => void = () => undefined;
  let isOver = false;
  const answered: Answered[] = [];
  const loop = new StepLoop(stepEvaluation, begun.state, (effect: EvaluationEffect) => perform(effect));
  const logits = new Promise<Float32Array>((resolve, reject) => {
    const devices = (lost: readonly string[]): EvaluationEvent => ({
      type: 'devices',
      lost,
      able: able(),
      atMs: performance.now(),
    });
    const ticker = setInterval(() => loop.take({ type: 'tick', able: able(), atMs: performance.now() }), TICK_MS);
    const offs = [
      deviceLinks.onEvent((event) => {
        if (event.type !== 'message') return loop.take(devices(event.type === 'detached' ? [event.device] : []));
        const taken = messageEvent(event, loop.state.turns.get(event.device)?.chunk.count ?? 0);
        if (taken !== null) loop.take(taken);
      }),
      input.onTrainers(() => loop.take(devices([]))),
    ];
    const onAbort = (): void => end(() => reject(new Error(say.theEvaluationWasEnded)));
    input.signal.addEventListener('abort', onAbort, { once: true });
    perform = (effect) => {
      switch (effect.type) {
        case 'give':
          void give(effect);
          break;
        case 'keep':
          all.set(effect.logits, effect.chunk.start * labelCount);
          answered.push({ device: effect.device, start: effect.chunk.start, count: effect.chunk.count });
          break;
        case 'progress':
          onProgress(effect.done, effect.total);
          break;
        case 'complete':
          input.onConduct([...loop.state.late], [...loop.state.answered]);
          end(() => resolve(all));
          break;
        case 'give-up':
          end(() => reject(new Error(say.failed(nameOf(effect.device), effect.sentence))));
          break;
        default:
          effect satisfies never;
      }
    };
    if (input.signal.aborted) onAbort();
    else loop.begin(begun.effects);

    function end(act: () => void): void {
      isOver = true;
      loop.stop();
      clearInterval(ticker);
      for (const off of offs) off();
      input.signal.removeEventListener('abort', onAbort);
      act();
    }
    async function give({ device, chunk, turn }: Extract<EvaluationEffect, { type: 'give' }>): Promise<void> {
      try {
        const batch = await input.chunk(chunk.start, chunk.count);
        // Meanwhile the device may have gone, or come back by another link; its chunk is somebody else's then.
        if (isOver || !isTurn(loop.state, device, turn)) return;
        const { parameters } = input;
        deviceLinks.sendWork(
          device,
          parameters,
          {
            type: 'evaluate',
            tag: { term, evaluation, chunk: chunk.number },
            version: parameters.version,
            samples: chunk.count,
            tokens: batch.tokens,
          },
          [batch.ids, batch.lengths],
        );
      } catch (error) {
        end(() => reject(error));
      }
    }
    /** `expected` is how many samples the device was asked for. */
    function messageEvent(
      { device, message }: Extract<DeviceLinksEvent, { type: 'message' }>,
      expected: number,
    ): EvaluationEvent | null {
      const { header, tensors } = message;
      const atMs = performance.now();
      if (header.type === 'failed' && 'chunk' in header.tag)
        return { type: 'failed', device, tag: header.tag, sentence: header.sentence, atMs };
      if (header.type !== 'logits') return null;
      const logits = tensors[0];
      return logits instanceof Float32Array && logits.length === expected * labelCount
        ? { type: 'logits', device, tag: header.tag, logits, seconds: header.seconds ?? null, atMs }
        : { type: 'failed', device, tag: header.tag, sentence: say.itSentLogitsOfAnother, atMs };
    }
  });
  return {
    logits,
    answered,
    allow: (allowances) => loop.take({ type: 'allow', allowances, atMs: performance.now() }),
    hurry: () => loop.take({ type: 'hurry', atMs: performance.now() }),
  };
}
