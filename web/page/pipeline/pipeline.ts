import { deepestDepth } from '../../../signaling/protocol/adapters.ts';
import type { RoomAssignment, RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import { holdsRun, type UnitRun, unitCount } from '../../../signaling/protocol/split.ts';
import * as say from '../../words/watch/pipeline.ts';
import { type Mark, markFor, type Seats } from '../cloth/marks.ts';

/**
 * A split model as a staircase: units from the embeddings (the lowest step) to the head (the highest, next to the loss), stages from left
 * to right in the order in which samples go through them.
 */
export interface Pipelines {
  /** L. */
  readonly layers: number;
  /** The lowest unit that is trained: gradients of hidden states go no deeper. */
  readonly lowest: number;
  readonly stages: readonly StageColumn[];
  /** Devices without a stage, and what they hold, ready to step in. */
  readonly spares: readonly Spare[];
  /** Predicted seconds of a round. */
  readonly seconds: number;
}

export interface StageColumn {
  readonly device: string;
  readonly mark: Mark;
  readonly name: string;
  readonly self: boolean;
  /** Several pipelines share a round's samples. */
  readonly pipeline: number;
  readonly run: UnitRun;
  /** Units of the run that are trained. */
  readonly trained: readonly number[];
  readonly samples: { readonly start: number; readonly count: number };
  readonly microBatches: number;
  readonly window: number;
  readonly memoryBytes: number;
  /** Null where the device has not said what it may take. */
  readonly limitBytes: number | null;
  /** 0 to 1 of the round in which it computes; the rest is the bubble. */
  readonly busy: number;
  /** Whether it gets gradients of hidden states from the stage above, and sends them to the one below. */
  readonly getsGradient: boolean;
  readonly sendsGradient: boolean;
  readonly state: StageState;
  /** Share of its part of the model that is here; null once all of it is. */
  readonly fetched: number | null;
  readonly limits: boolean;
  /** A late round waits for it. */
  readonly late: boolean;
}

/** What a stage does about its part of the model. */
export type StageState = 'holds' | 'fetches' | 'measures' | 'unlinked' | 'away' | 'failed';

export interface Spare {
  readonly device: string;
  readonly mark: Mark;
  readonly name: string;
  readonly self: boolean;
  readonly holds: UnitRun | null;
}

export interface PipelineInput {
  readonly room: Pick<RoomView, 'settings' | 'devices' | 'plan'>;
  readonly self: string;
  readonly seats: Seats;
  readonly late?: readonly string[];
}

type Staged = RoomAssignment & { readonly stage: NonNullable<RoomAssignment['stage']> };

const isStaged = (assignment: RoomAssignment): assignment is Staged => assignment.stage !== undefined;

export const isSplit = (plan: RoomPlan | null): plan is RoomPlan => plan?.assignments.some(isStaged) === true;

/** Null where the plan splits no model. */
export function pipelines({ room, self, seats, late = [] }: PipelineInput): Pipelines | null {
  const { plan, devices, settings } = room;
  if (!isSplit(plan)) return null;
  const { layers } = settings.shape;
  const lowest = layers + 1 - deepestDepth(settings.lora, layers);
  const staged = plan.assignments
    .filter(isStaged)
    .toSorted((a, b) => a.stage.pipeline - b.stage.pipeline || a.stage.index - b.stage.index);
  const stages = staged.map((one, i): StageColumn => {
    const { stage } = one;
    const device = devices.find(({ id }) => id === one.device);
    const run = { from: stage.from, to: stage.to };
    const above = staged[i + 1]?.stage;
    return {
      device: one.device,
      mark: markFor(seats, one.device),
      name: device?.name ?? say.aDeviceThatLeft,
      self: one.device === self,
      pipeline: stage.pipeline,
      run,
      trained: [...one.layers.map((layer) => layer + 1), ...(one.head ? [unitCount(layers) - 1] : [])],
      samples: one.samples,
      microBatches: stage.microBatches,
      window: stage.window,
      memoryBytes: one.memoryBytes,
      limitBytes: device?.profile?.memory.limitBytes ?? null,
      busy: plan.latencySeconds > 0 ? Math.min(1, one.computeSeconds / plan.latencySeconds) : 0,
      getsGradient: above?.pipeline === stage.pipeline && above.from > lowest,
      sendsGradient: stage.from > lowest && stage.index > 0,
      ...fetching(device, run),
      limits: plan.limitedBy === one.device,
      late: late.includes(one.device),
    };
  });
  const working = new Set(staged.map(({ device }) => device));
  const spares = devices
    .filter(({ id, status }) => !working.has(id) && status.kind !== 'watching')
    .map(
      ({ id, name, holds }): Spare => ({
        device: id,
        mark: markFor(seats, id),
        name,
        self: id === self,
        holds: holds ?? null,
      }),
    );
  return { layers, lowest, stages, spares, seconds: plan.latencySeconds };
}

function fetching(device: DeviceView | undefined, run: UnitRun): Pick<StageColumn, 'state' | 'fetched'> {
  if (device === undefined || (!device.online && !device.linked)) return { state: 'away', fetched: null };
  const { status } = device;
  if (status.kind === 'failed') return { state: 'failed', fetched: null };
  if (status.kind === 'loading') {
    const { bytes, totalBytes } = status.transfer ?? { bytes: status.done, totalBytes: status.total };
    return { state: 'fetches', fetched: totalBytes > 0 ? Math.min(1, bytes / totalBytes) : 0 };
  }
  if (!holdsRun(device.holds, run))
    return status.kind === 'profiling' || status.kind === 'joining'
      ? { state: 'measures', fetched: 0 }
      : { state: 'fetches', fetched: 0 };
  return device.linked ? { state: 'holds', fetched: null } : { state: 'unlinked', fetched: null };
}

/** Of all stages' time the share in which they wait for each other. */
export function bubbleShare({ stages }: Pick<Pipelines, 'stages'>): number {
  return stages.length === 0 ? 0 : 1 - stages.reduce((sum, { busy }) => sum + busy, 0) / stages.length;
}
