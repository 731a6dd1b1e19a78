import { decodeUpload, sentBits } from '../../../signaling/protocol/exchange/upload-codec.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { GradientPart, TokenBatch } from '../../../worker/api/batch.ts';
import * as say from '../../words/session/rounds.ts';
import type { NoticeKind } from '../view/view.ts';
import type { Listeners } from '../world/emitter.ts';
import type { DeviceLinks, DeviceLinksEvent, ParameterState } from './device-links.ts';
import { believedSeconds } from './probation.ts';
import { depthOf, type Order, type RoundState, tagOf } from './round.ts';
import {
  type AbleDevice,
  beginRound,
  type RoundEffect,
  type RoundEvent,
  type RunningRound,
  stepRound,
  type Timing,
} from './round-step.ts';
import { StepLoop } from './step-loop.ts';

export interface RoundInput {
  readonly term: number;
  /** How often rounds were undone. */
  readonly course: number;
  readonly round: number;
  readonly plan: RoomPlan;
  readonly settings: SessionSettings;
  readonly batch: TokenBatch;
  readonly parameters: ParameterState;
  readonly deviceLinks: DeviceLinks;
  /** Devices that could take over work now. */
  readonly trainers: () => readonly DeviceView[];
  /** What is believed of a device's speed, and whether it is on probation. */
  readonly believed: (device: DeviceView, profile: Profile) => AbleDevice;
  /** Called when `trainers` may answer differently. */
  readonly onTrainers: Listeners<void>;
  readonly onActivity: (state: RoundState) => void;
  readonly onNews: (kind: NoticeKind, sentence: string) => void;
  readonly nameOf: (device: string) => string;
  /** When the round began, on the clock of `performance.now()`; with it reports tell when each device did. */
  readonly startMs?: number;
  /** Aborted when the session ends; the round then rejects. */
  readonly signal: AbortSignal;
}

export interface RoundResult {
  readonly parts: readonly GradientPart[];
  readonly lossSum: number;
  readonly devices: RoundReport['devices'];
  readonly reassigned: number;
  /** Devices that a deadline passed for, and those that failed at least once. */
  readonly late: readonly string[];
  readonly failed: readonly string[];
}

/** Of a round whose devices hold the whole model: also whose the parts are, with the order that each was counted for, and the orders' losses. */
export interface WholeRoundResult extends RoundResult {
  readonly accepted: RoundState['accepted'];
  readonly losses: RunningRound['losses'];
}

/**
 * Runs one round to its exact end. What happens in it is decided by `round-step.ts`; this is its rim: links become events, effects
 * become messages, the deadline is a timer.
 */
export function runRound(input: RoundInput): Promise<WholeRoundResult> {
  const { term, course, round, plan, settings, batch, deviceLinks, nameOf } = input;
  const layers = settings.shape.layers;
  return new Promise((resolve, reject) => {
    let deadline: ReturnType<typeof setTimeout> | undefined;
    const sent = new Map<string, number>();
    const begun = beginRound({
      term,
      course,
      round,
      plan,
      layers,
      samples: batch.lengths.length,
      linked: new Set(plan.assignments.map(({ device }) => device).filter((id) => deviceLinks.has(id))),
      able: ableDevices(input),
    });
    const loop = new StepLoop(stepRound, begun.state, (effect: RoundEffect) => {
      try {
        perform(effect);
      } catch (error) {
        end(() => reject(error));
      }
    });
    const offs = [
      deviceLinks.onEvent((event) => {
        const taken = roundEvent(event, input);
        if (taken !== null) loop.take(taken);
      }),
      input.onTrainers(() => loop.take({ type: 'devices', lost: [], able: ableDevices(input) })),
    ];
    const onAbort = (): void => end(() => reject(new Error(say.theSessionEndedDuring)));
    input.signal.addEventListener('abort', onAbort, { once: true });
    if (input.signal.aborted) onAbort();
    else loop.begin(begun.effects);

    function end(act: () => void): void {
      loop.stop();
      clearTimeout(deadline);
      for (const off of offs) off();
      input.signal.removeEventListener('abort', onAbort);
      act();
    }
    function perform(effect: RoundEffect): void {
      switch (effect.type) {
        case 'send':
          sent.set(givenOf(effect.order), performance.now());
          sendOrder(input, effect.order);
          break;
        case 'abandon':
          deviceLinks.abandon(effect.device, effect.tag);
          break;
        case 'wait':
          clearTimeout(deadline);
          deadline = setTimeout(() => loop.take({ type: 'late' }), effect.ms);
          break;
        case 'moved':
          input.onNews('moved', movedSentence(effect, round, nameOf));
          break;
        case 'trouble':
          input.onNews('problem', say.couldNotDoItsPart(nameOf(effect.device), effect.sentence));
          break;
        case 'activity':
          input.onActivity(loop.state.round);
          break;
        case 'complete':
          end(() => resolve(resultOf(loop.state, sent, input)));
          break;
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
function roundEvent(event: DeviceLinksEvent, input: RoundInput): RoundEvent | null {
  if (event.type !== 'message')
    return {
      type: 'devices',
      lost: event.type === 'detached' ? [event.device] : [],
      able: ableDevices(input),
    };
  const { device, message } = event;
  const { header, tensors } = message;
  const atMs = performance.now();
  if (header.type === 'gradient') {
    const { tag, block } = header;
    const gradient = decodeUpload(tensors);
    return { type: 'gradient', device, tag, block, gradient, bits: sentBits(tensors), atMs };
  }
  if (header.type === 'done') {
    const { tag, lossSum, computeSeconds } = header;
    return { type: 'done', device, tag, lossSum: lossSum ?? Number.NaN, computeSeconds, atMs };
  }
  if (header.type === 'failed' && 'order' in header.tag)
    return { type: 'failed', device, tag: header.tag, sentence: header.sentence };
  return null;
}

function ableDevices({ trainers, deviceLinks, believed }: RoundInput): readonly AbleDevice[] {
  return trainers().flatMap((device) =>
    device.profile === null || !deviceLinks.has(device.id) ? [] : [believed(device, device.profile)],
  );
}

export type OrderInput = Pick<
  RoundInput,
  'term' | 'course' | 'round' | 'batch' | 'parameters' | 'settings' | 'deviceLinks'
>;

export function sendOrder({ term, round, batch, parameters, settings, deviceLinks }: OrderInput, order: Order): void {
  const { layers, head, samples, microBatch, recompute, share } = order;
  const rows = samplesOf(batch, samples.start, samples.count);
  const { dropout, seed } = settings.training;
  deviceLinks.sendWork(
    order.device,
    parameters,
    {
      type: 'order',
      tag: tagOf({ term, round }, order),
      layers: [...layers],
      head,
      samples,
      microBatch,
      recompute,
      version: parameters.version,
      tokens: batch.tokens,
      share,
      dropout: { probability: dropout, seed },
    },
    [rows.ids, rows.lengths, rows.labels, rows.positions],
  );
}

function movedSentence(
  { from, to, why }: Extract<RoundEffect, { type: 'moved' }>,
  round: number,
  nameOf: (device: string) => string,
): string {
  return from === to
    ? say.itDoesItsPart(nameOf(from), why, round)
    : say.takesOverItsPart(nameOf(from), why, nameOf(to), round);
}

/** One giving out of one order. */
const givenOf = ({ number, epoch }: Order): string => `${number}.${epoch}`;

function resultOf(state: RunningRound, sent: ReadonlyMap<string, number>, input: RoundInput): WholeRoundResult {
  const { parts, losses, round, timings, layers, late, failures } = state;
  return {
    parts,
    lossSum: [...losses.values()].reduce((sum, loss) => sum + loss, 0),
    accepted: round.accepted,
    losses,
    reassigned: round.reassigned,
    devices: timings.flatMap((t) => reportOf(t, layers, sent.get(givenOf(t.order)), input)),
    late: [...late],
    failed: [...failures.keys()],
  };
}

/** Empty for an order of which no report came. */
function reportOf(
  timing: Timing,
  layers: number,
  sentMs: number | undefined,
  { trainers, parameters, startMs }: RoundInput,
): RoundReport['devices'] {
  const { order, computeSeconds, doneMs, lastPartMs, uploadBits } = timing;
  if (computeSeconds === null) return [];
  const rate = trainers().find(({ id }) => id === order.device)?.profile?.linkBitsPerSecond ?? Infinity;
  const elapsed = sentMs === undefined ? 0 : (doneMs - sentMs) / 1000;
  return [
    {
      device: order.device,
      samples: order.samples.count,
      deepestDepth: depthOf(order, layers),
      computeSeconds: believedSeconds(computeSeconds, elapsed, downSeconds(parameters, rate)),
      uploadSeconds: Math.max(0, (lastPartMs - doneMs) / 1000),
      uploadBits,
      ...(startMs !== undefined &&
        sentMs !== undefined && {
          startSeconds: Math.max(0, (sentMs - startMs) / 1000),
          downSeconds: Math.max(0, elapsed - computeSeconds),
        }),
    },
  ];
}

/** What the parameters take on their way to a device, at its stated rate. */
export const downSeconds = ({ values }: ParameterState, bitsPerSecond: number): number =>
  (32 * values.length) / bitsPerSecond;

/** Rows `start` to `start + count` of a batch; views, not copies. */
export function samplesOf(batch: TokenBatch, start: number, count: number): TokenBatch {
  const end = start + count;
  const labels = batch.labels.length / batch.lengths.length;
  return {
    ids: batch.ids.subarray(start * batch.tokens, end * batch.tokens),
    lengths: batch.lengths.subarray(start, end),
    labels: batch.labels.subarray(start * labels, end * labels),
    positions: batch.positions.subarray(start, end),
    tokens: batch.tokens,
  };
}
