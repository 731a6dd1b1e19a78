import { decodeUpload, sentBits } from '../../../../signaling/protocol/exchange/upload-codec.ts';
import type { RoundReport } from '../../../../signaling/protocol/room-view.ts';
import { bytesText } from '../../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../../signaling/protocol/words/units.ts';
import * as say from '../../../words/session/rounds.ts';
import type { StagePasses } from '../../view/view.ts';
import type { DeviceLinksEvent } from '../device-links.ts';
import { depthOf, tagOf } from '../round.ts';
import type { RoundInput, RoundResult } from '../run-round.ts';
import { StepLoop } from '../step-loop.ts';
import type { SettledStage } from './cross-check.ts';
import { lossOf, stageOf } from './places.ts';
import type { Passed, Spare, SplitEffect, SplitEvent, SplitRound, StageTiming } from './split-round.ts';
import { beginSplitRound, givenOf, stepSplitRound } from './split-step.ts';
import { type Checked, neighbourTold, sendStageOrder } from './stage-orders.ts';
import { passesEach, toldPasses } from './told-passes.ts';

const TICK_MS = 1000;

export interface SplitRoundInput extends Omit<RoundInput, 'believed' | 'onTrainers'> {
  readonly onTrainers: RoundInput['onTrainers'];
  /** Devices that the plan gives nothing to, and which of its orders, by number, they could take over. */
  readonly spares: () => readonly Spare[];
  /** When the host has all of each assignment, by the schedule. */
  readonly finishSeconds: readonly number[];
  /** The last epoch of this round, where it was interrupted before: devices hear nothing earlier any more. */
  readonly after?: number | undefined;
  readonly checked?: Checked;
  /** All of the round is here, and the stages still keep what they said and heard. */
  readonly onAll?: (done: SplitRoundDone) => void;
}

export interface SplitRoundDone extends RoundResult {
  readonly kind: 'done';
  readonly passes: readonly StagePasses[];
  readonly parts: SplitRound['parts'];
  readonly losses: SplitRound['losses'];
  readonly stages: readonly SettledStage[];
  /** The last one of the round. */
  readonly epoch: number;
}

const UNCHECKED: Checked = { isOn: false, isWatched: () => false };

export type SplitRoundResult =
  | SplitRoundDone
  /** Nothing of the round counts; it begins again when the room is laid out anew. */
  | { readonly kind: 'interrupted'; readonly sentence: string; readonly epoch: number };

/**
 * Runs one round of a split room to its exact end. What happens in it is decided by `split-step.ts`; this is its rim: links become events,
 * effects become messages, a timer asks for who is late.
 */
export function runSplitRound(input: SplitRoundInput): Promise<SplitRoundResult> {
  const { term, course, round, plan, batch, deviceLinks, nameOf, spares, finishSeconds, checked = UNCHECKED } = input;
  return new Promise((resolve, reject) => {
    const sent = new Map<string, number>();
    const begun = beginSplitRound({
      ...{ term, course, round, plan, finishSeconds, after: input.after },
      samples: batch.lengths.length,
      spares: spares(),
      atMs: performance.now(),
    });
    const loop = new StepLoop(stepSplitRound, begun.state, (effect: SplitEffect) => {
      try {
        perform(effect);
      } catch (error) {
        end(() => reject(error));
      }
    });
    const devices = (lost: readonly string[]): SplitEvent => ({
      type: 'devices',
      lost,
      spares: spares(),
      atMs: performance.now(),
    });
    const ticker = setInterval(() => loop.take({ type: 'tick', atMs: performance.now() }), TICK_MS);
    const offs = [
      deviceLinks.onEvent((event) => {
        if (event.type !== 'message') loop.take(devices(event.type === 'detached' ? [event.device] : []));
        const taken = splitEvent(event);
        if (taken !== null) loop.take(taken);
      }),
      input.onTrainers(() => loop.take(devices([]))),
    ];
    const onAbort = (): void => end(() => reject(new Error(say.theSessionEndedDuring)));
    input.signal.addEventListener('abort', onAbort, { once: true });
    if (input.signal.aborted) onAbort();
    else loop.begin(begun.effects);

    function end(act: () => void): void {
      loop.stop();
      clearInterval(ticker);
      for (const off of offs) off();
      input.signal.removeEventListener('abort', onAbort);
      act();
    }
    function perform(effect: SplitEffect): void {
      const { state } = loop;
      switch (effect.type) {
        case 'send':
          sent.set(givenOf(effect.order), performance.now());
          sendStageOrder(input, state.round, state.places, effect.order, checked);
          break;
        case 'rewire': {
          const { order, side, to } = effect;
          const neighbour = neighbourTold(order, to, checked);
          deviceLinks.tell(order.device, { type: 'rewire', tag: tagOf(state.round, order), side, neighbour });
          break;
        }
        case 'abandon':
          deviceLinks.abandon(effect.device, effect.tag);
          break;
        case 'moved':
          input.onNews('news', movedSentence(effect, round, nameOf));
          break;
        case 'trouble':
          input.onNews('problem', say.couldNotDoItsPart(nameOf(effect.device), effect.sentence));
          break;
        case 'activity':
          input.onActivity(state.round);
          break;
        case 'complete': {
          const done = resultOf(state, sent, input);
          input.onAll?.(done);
          for (const { device } of state.places) deviceLinks.tell(device, { type: 'merged', term, round });
          end(() => resolve(done));
          break;
        }
        case 'interrupted': {
          const sentence = interruptedSentence(effect, input);
          end(() => resolve({ kind: 'interrupted', sentence, epoch: state.round.epoch }));
          break;
        }
        case 'give-up':
          end(() => reject(new Error(say.failed(nameOf(effect.device), effect.sentence))));
          break;
        default:
          effect satisfies never;
      }
    }
  });
}

/** Null for what does not concern a round. */
function splitEvent(event: DeviceLinksEvent): SplitEvent | null {
  if (event.type !== 'message') return null;
  const { device, message } = event;
  const { header, tensors } = message;
  const atMs = performance.now();
  switch (header.type) {
    case 'gradient': {
      const { tag, block } = header;
      const gradient = decodeUpload(tensors);
      return { type: 'gradient', device, tag, block, gradient, bits: sentBits(tensors), atMs };
    }
    case 'done': {
      const { tag, lossSum, computeSeconds, cuts } = header;
      return { type: 'done', device, tag, lossSum: lossSum ?? Number.NaN, computeSeconds, cuts, atMs };
    }
    case 'passed':
      return { type: 'passed', device, tag: header.tag, passes: header.passes, atMs };
    case 'failed':
      return 'order' in header.tag
        ? { type: 'failed', device, tag: header.tag, sentence: header.sentence, atMs }
        : null;
    default:
      return null;
  }
}

function movedSentence(
  { from, to, why }: Extract<SplitEffect, { type: 'moved' }>,
  round: number,
  nameOf: (device: string) => string,
): string {
  return from === to
    ? say.itDoesItsPart(nameOf(from), why, round)
    : say.takesOverItsPart(nameOf(from), why, nameOf(to), round);
}

function interruptedSentence(
  { order, why }: Extract<SplitEffect, { type: 'interrupted' }>,
  { plan, settings, round, nameOf }: SplitRoundInput,
): string {
  const run = runText(stageOf(order), settings.shape.layers);
  const bytes = plan.assignments.find(({ device }) => device === order.device)?.memoryBytes ?? 0;
  return say.andNoDevice(nameOf(order.device), why, run, bytesText(bytes), round);
}

function resultOf(state: SplitRound, sent: ReadonlyMap<string, number>, input: SplitRoundInput): SplitRoundDone {
  const { parts, losses, round, timings, late, failures, places, passes } = state;
  const most = passesEach(timings.length);
  return {
    kind: 'done',
    ...{ parts, losses, epoch: round.epoch },
    stages: places.map((order) => ({
      order,
      cuts: timings.find((timing) => givenOf(timing.order) === givenOf(order))?.cuts ?? null,
      isMoved: order.epoch !== timings[0]?.order.epoch,
    })),
    lossSum: lossOf(places, losses),
    reassigned: round.reassigned,
    devices: timings.flatMap((timing) => {
      const given = givenOf(timing.order);
      return reportOf(timing, { sentMs: sent.get(given), passed: passes.get(given) ?? [], most }, input);
    }),
    late: [...late],
    failed: [...failures.keys()],
    passes: places.map((order) => ({
      device: order.device,
      pipeline: stageOf(order).pipeline,
      index: stageOf(order).index,
      passes: passes.get(givenOf(order)) ?? [],
    })),
  };
}

/** Empty for an order of which no report came. */
function reportOf(
  { order, computeSeconds, doneMs, lastPartMs, uploadBits }: StageTiming,
  given: { readonly sentMs: number | undefined; readonly passed: readonly Passed[]; readonly most: number },
  { settings, startMs }: SplitRoundInput,
): RoundReport['devices'] {
  if (computeSeconds === null) return [];
  // A stage waits for others between its passes: how long its passes took is its own word, but no longer than it was away.
  const { sentMs, passed, most } = given;
  const elapsed = sentMs === undefined ? computeSeconds : (doneMs - sentMs) / 1000;
  const startSeconds = startMs === undefined || sentMs === undefined ? null : Math.max(0, (sentMs - startMs) / 1000);
  return [
    {
      device: order.device,
      samples: order.samples.count,
      deepestDepth: depthOf(order, settings.shape.layers),
      computeSeconds: Math.min(computeSeconds, elapsed),
      uploadSeconds: Math.max(0, (lastPartMs - doneMs) / 1000),
      uploadBits,
      ...(startSeconds !== null && {
        startSeconds,
        ...toldPasses(passed, { startSeconds, elapsedSeconds: elapsed, computeSeconds, most }),
      }),
    },
  ];
}
