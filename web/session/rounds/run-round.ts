import { computeSeconds, largestMicroBatch, recomputes } from '../../../signaling/protocol/cost-model.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { DeviceView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { GradientPart, TokenBatch } from '../../../worker/api/batch.ts';
import type { Listeners } from '../world/emitter.ts';
import type { Fleet, FleetEvent, ParameterState } from './fleet.ts';
import {
  type Candidate,
  type Due,
  depthOf,
  isComplete,
  type Order,
  type RoundState,
  reassign,
  receive,
  startRound,
} from './round.ts';

/** A device is late when a round takes so many times its predicted seconds, and at least so long. */
const LATE_FACTOR = 4;
const LATE_AT_LEAST_MS = 15_000;
/** Failures in one round that nobody else can make up for, before the round is given up. */
const MAX_FAILURES = 3;

export interface RoundInput {
  readonly round: number;
  readonly firstOrder: number;
  readonly plan: RoomPlan;
  readonly settings: SessionSettings;
  readonly batch: TokenBatch;
  readonly parameters: ParameterState;
  readonly fleet: Fleet;
  /** Devices that could take over work now. */
  readonly trainers: () => readonly DeviceView[];
  /** Called when `trainers` may answer differently. */
  readonly onTrainers: Listeners<void>;
  readonly onActivity: (state: RoundState) => void;
  readonly onNews: (kind: 'news' | 'problem', sentence: string) => void;
  readonly nameOf: (device: string) => string;
  /** Aborted when the session ends; the round then rejects. */
  readonly signal: AbortSignal;
}

export interface RoundResult {
  readonly parts: readonly GradientPart[];
  readonly lossSum: number;
  readonly nextOrder: number;
  readonly devices: RoundReport['devices'];
  readonly reassigned: number;
}

interface Timing {
  readonly order: Order;
  computeSeconds: number | null;
  doneMs: number;
  lastPartMs: number;
  uploadBits: number;
}

/** Runs one round to its exact end: sends orders, takes gradients, gives work of lost or late devices to others. */
export function runRound(input: RoundInput): Promise<RoundResult> {
  const { fleet, settings, batch, parameters } = input;
  const layerCount = settings.shape.layers;
  const parts: GradientPart[] = [];
  const timings = new Map<number, Timing>();
  let lossSum = 0;
  let failures = 0;
  let state = startRound(input.round, batch.lengths.length, input.plan, input.firstOrder);

  const dispatch = (order: Order): void => {
    timings.set(order.id, { order, computeSeconds: null, doneMs: 0, lastPartMs: 0, uploadBits: 0 });
    const { id, round, layers, head, microBatch, recompute, share } = { ...order, round: input.round };
    const rows = samplesOf(batch, order.start, order.count);
    const dropout = { probability: settings.training.dropout, seed: settings.training.seed };
    fleet.sendWork(
      order.device,
      parameters,
      (withParameters) => ({
        type: 'order',
        order: id,
        round,
        version: parameters.version,
        parameters: withParameters,
        samples: order.count,
        tokens: batch.tokens,
        layers: [...layers],
        head,
        microBatch,
        recompute,
        share,
        dropout,
      }),
      [rows.ids, rows.lengths, rows.labels, rows.positions],
    );
  };

  const giveAway = (gone: ReadonlySet<string>, why: string, to = others(gone)): boolean => {
    const lost = state.owed.filter(({ order }) => gone.has(order.device));
    if (lost.length === 0) return false;
    const result = reassign(state, gone, to, layerCount);
    for (const { order } of lost)
      if (!result.state.owed.some((o) => o.order.id === order.id)) fleet.abandon(order.device, order.id);
    state = result.state;
    for (const order of result.orders) {
      const from = lost.find(({ order: o }) => o.start === order.start && o.count === order.count)?.order.device ?? '';
      const takes = from === order.device ? 'it does' : `${input.nameOf(order.device)} takes over`;
      input.onNews(
        'news',
        `${input.nameOf(from)} ${why}; ${takes} its part of round ${input.round}${from === order.device ? ' again' : ''}.`,
      );
      dispatch(order);
    }
    return result.orders.length > 0;
  };
  const others = (gone: ReadonlySet<string>): readonly Candidate[] =>
    candidates(input, fleet).filter((c) => !gone.has(c.device));
  /** Devices whose link went down with orders on it: those are lost, also when the device comes back. */
  const adrift = new Set<string>();
  const settle = (): void => {
    if (adrift.size === 0) return;
    const before = new Set(state.owed.map(({ order }) => order.id));
    giveAway(adrift, 'lost its link', candidates(input, fleet));
    for (const device of adrift)
      if (!state.owed.some(({ order }) => order.device === device && before.has(order.id))) adrift.delete(device);
  };

  return new Promise((resolve, reject) => {
    let patienceMs = Math.max(LATE_AT_LEAST_MS, LATE_FACTOR * 1000 * input.plan.latencySeconds);
    let timer = setTimeout(() => advance(onLate), patienceMs);
    const offs = [fleet.onEvent((event) => advance(() => onEvent(event))), input.onTrainers(() => advance(settle))];
    input.signal.addEventListener('abort', onAbort, { once: true });

    function end(act: () => void): void {
      clearTimeout(timer);
      for (const off of offs) off();
      input.signal.removeEventListener('abort', onAbort);
      act();
    }
    function onAbort(): void {
      end(() => reject(new Error('The session ended during a round.')));
    }
    /** Acts, and ends the round if that left nothing to wait for. */
    function advance(act: () => void): void {
      act();
      if (isComplete(state)) end(() => resolve(result()));
    }
    function onLate(): void {
      const late = new Set(state.owed.map((o) => o.order.device));
      // Where nobody else can, the same device is asked again: its order may have been lost on the way.
      if (!giveAway(late, 'is late')) giveAway(late, 'is late', candidates(input, fleet));
      patienceMs *= 2;
      timer = setTimeout(() => advance(onLate), patienceMs);
    }
    function take(device: string, orderId: number, due: Due): Order | null {
      const taken = receive(state, device, orderId, due);
      if (taken === null) return null;
      state = taken.state;
      return taken.order;
    }
    function onEvent(event: FleetEvent): void {
      if (event.type === 'message') onMessage(event.device, event.message);
      else {
        if (event.type === 'detached') adrift.add(event.device);
        settle();
      }
    }
    function onMessage(device: string, message: Extract<FleetEvent, { type: 'message' }>['message']): void {
      const { header, tensors } = message;
      if (header.type === 'gradient' && header.round === input.round) {
        const order = take(device, header.order, header.block);
        const gradient = tensors[0];
        if (order === null || !(gradient instanceof Float32Array)) return;
        parts.push({ block: header.block, samples: { start: order.start, count: order.count }, gradient });
        const timing = timings.get(order.id);
        if (timing) {
          timing.lastPartMs = performance.now();
          timing.uploadBits += gradient.length * 32;
        }
        input.onActivity(state);
      } else if (header.type === 'done' && header.round === input.round) {
        const timing = timings.get(header.order);
        if (timing === undefined || timing.order.device !== device) return;
        timing.computeSeconds = header.computeSeconds;
        timing.doneMs = performance.now();
        if (take(device, header.order, 'done')?.head) lossSum += header.lossSum;
      } else if (header.type === 'failed' && header.order !== null) {
        if (!state.owed.some((o) => o.order.id === header.order && o.order.device === device)) return;
        input.onNews('problem', `${input.nameOf(device)} could not do its part: ${header.sentence}`);
        const failed = new Set([device]);
        if (giveAway(failed, 'failed')) return;
        // Nobody else can: the same device tries again, a few times.
        if (++failures > MAX_FAILURES)
          end(() => reject(new Error(`${input.nameOf(device)} failed: ${header.sentence}`)));
        else giveAway(failed, 'tries again', candidates(input, fleet));
      }
    }
    function result(): RoundResult {
      return {
        parts,
        lossSum,
        nextOrder: state.nextOrder,
        reassigned: state.reassigned,
        devices: [...timings.values()].flatMap((t) => {
          if (t.computeSeconds === null) return [];
          return [
            {
              device: t.order.device,
              samples: t.order.count,
              deepestDepth: depthOf(t.order, layerCount),
              computeSeconds: t.computeSeconds,
              uploadSeconds: Math.max(0, (t.lastPartMs - t.doneMs) / 1000),
              uploadBits: t.uploadBits,
            },
          ];
        }),
      };
    }

    for (const { order } of state.owed) dispatch(order);
    for (const { order } of state.owed) if (!fleet.has(order.device)) adrift.add(order.device);
    settle();
    input.onActivity(state);
  });
}

function candidates({ trainers, settings }: RoundInput, fleet: Fleet): readonly Candidate[] {
  const layers = settings.shape.layers;
  return trainers().flatMap(({ id, profile }) => {
    if (profile === null || !fleet.has(id)) return [];
    return [
      {
        device: id,
        cost: (samples: number, depth: number) => {
          const microBatch = largestMicroBatch(profile, samples, depth);
          if (microBatch === 0) return null;
          const seconds = computeSeconds(profile, layers, samples, depth);
          return { seconds, microBatch, recompute: recomputes(profile, depth) };
        },
      },
    ];
  });
}

/** Rows `start` to `start + count` of a batch; views, not copies. */
export function samplesOf(batch: TokenBatch, start: number, count: number): TokenBatch {
  const end = start + count;
  return {
    ids: batch.ids.subarray(start * batch.tokens, end * batch.tokens),
    lengths: batch.lengths.subarray(start, end),
    labels: batch.labels.subarray(start, end),
    positions: batch.positions.subarray(start, end),
    tokens: batch.tokens,
  };
}
