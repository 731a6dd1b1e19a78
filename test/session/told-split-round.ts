import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { Block, OrderTag } from '../../signaling/protocol/round.ts';
import type { Stage } from '../../signaling/protocol/split.ts';
import type { Passed, Spare, SplitEffect, SplitEvent, SplitRound } from '../../web/session/rounds/split/split-round.ts';
import { beginSplitRound, stepSplitRound } from '../../web/session/rounds/split/split-step.ts';

/** A round of a split room as data: events in, effects out, no link and no clock. */
export const TERM = 4;
export const ROUND = 7;
export const SAMPLES = 8;
const MICRO_BATCHES = 4;

/** Six layers over three devices: a has units 0 to 2, b 3 to 5, c layer 5 and the head. Layers 2 to 5 are trained. */
const RUNS: readonly (readonly [string, Omit<Stage, 'pipeline' | 'microBatches'>, number[], boolean])[] = [
  ['a', { index: 0, from: 0, to: 3, window: 0 }, [], false],
  ['b', { index: 1, from: 3, to: 6, window: 2 }, [2, 3, 4], false],
  ['c', { index: 2, from: 6, to: 8, window: 1 }, [5], true],
];

export const splitPlan = (latencySeconds = 2): RoomPlan => ({
  version: 1,
  policy: 'split',
  solver: '',
  solveMs: 0,
  latencySeconds,
  lowerBoundSeconds: latencySeconds,
  limitedBy: '',
  explanation: '',
  assignments: RUNS.map(([device, stage, layers, head]) => ({
    device,
    layers,
    head,
    samples: { start: 0, count: SAMPLES },
    microBatch: 2,
    memoryBytes: 0,
    share: 1,
    uploadBits: 0,
    computeSeconds: 1,
    uploadSeconds: 0,
    stage: { ...stage, pipeline: 0, microBatches: MICRO_BATCHES },
  })),
});

/** The same over two pipelines: five of the samples through a, b and c, three through x, y and z. */
export function twoPipelines(): RoomPlan {
  const { assignments, ...plan } = splitPlan();
  const twins = [
    { names: ['a', 'b', 'c'], samples: { start: 0, count: 5 } },
    { names: ['x', 'y', 'z'], samples: { start: 5, count: 3 } },
  ];
  return {
    ...plan,
    assignments: twins.flatMap(({ names, samples }, pipeline) =>
      assignments.map(({ stage, ...own }, i) => ({
        ...own,
        device: names[i]!,
        samples,
        ...(stage && { stage: { ...stage, pipeline, microBatches: 2 } }),
      })),
    ),
  };
}

export const tag = (order: number, epoch = 1): OrderTag => ({ term: TERM, round: ROUND, order, epoch });
export const gradient = (device: string, of: OrderTag, block: Block, value = 0.5, atMs = 0): SplitEvent => ({
  type: 'gradient',
  device,
  tag: of,
  block,
  gradient: new Float32Array(4).fill(value),
  bits: 32 * 4,
  atMs,
});
export const done = (device: string, of: OrderTag, lossSum = 0, atMs = 0): SplitEvent => ({
  type: 'done',
  device,
  tag: of,
  lossSum,
  computeSeconds: 2,
  atMs,
});
export const failed = (device: string, of: OrderTag): SplitEvent => ({
  type: 'failed',
  device,
  tag: of,
  sentence: 'Out of memory.',
  atMs: 0,
});
export const passed = (device: string, of: OrderTag, passes: readonly [number, 'up' | 'down'][]): SplitEvent => ({
  type: 'passed',
  device,
  tag: of,
  passes: passes.map(([microBatch, direction]): Passed => ({ microBatch, direction, sinceSeconds: 0, seconds: 1 })),
  atMs: 0,
});
export const tick = (atMs: number): SplitEvent => ({ type: 'tick', atMs });
export const lost = (devices: string[], spares: readonly Spare[] = [], atMs = 0): SplitEvent => ({
  type: 'devices',
  lost: devices,
  spares,
  atMs,
});
/** A device that holds nothing and could hold all, in so many seconds; 0 where it holds them. */
export const spare = (device: string, seconds = 0, numbers = [1, 2, 3]): Spare => ({
  device,
  readyIn: new Map(numbers.map((number) => [number, seconds])),
});
/** All that a stage owes. */
export const allOf = (device: string, of: OrderTag, blocks: readonly Block[], lossSum = 0): SplitEvent[] => [
  ...blocks.map((block) => gradient(device, of, block)),
  done(device, of, lossSum),
];

export class ToldSplit {
  state: SplitRound;
  readonly begun: readonly string[];

  constructor(
    spares: readonly Spare[] = [],
    finishSeconds: readonly number[] = [1, 2, 1.5],
    plan: RoomPlan = splitPlan(),
  ) {
    const begun = beginSplitRound({ term: TERM, round: ROUND, samples: SAMPLES, plan, spares, finishSeconds, atMs: 0 });
    this.state = begun.state;
    this.begun = begun.effects.map(told);
  }

  take(event: SplitEvent): readonly string[] {
    const { state, effects } = stepSplitRound(this.state, event);
    this.state = state;
    return effects.map(told);
  }

  takeAll(...events: readonly SplitEvent[]): readonly string[] {
    return events.flatMap((event) => this.take(event));
  }
}

function told(effect: SplitEffect): string {
  switch (effect.type) {
    case 'send': {
      const { device, number, epoch, stage } = effect.order;
      return `send ${device} ${number}.${epoch} ${stage?.from}-${stage?.to}`;
    }
    case 'rewire':
      return `rewire ${effect.order.device} ${effect.side} ${effect.to.device} ${effect.to.epoch}`;
    case 'abandon':
      return `abandon ${effect.device} ${effect.tag.order}.${effect.tag.epoch}`;
    case 'moved':
      return `${effect.from} ${effect.why} -> ${effect.to}`;
    case 'trouble':
      return `trouble ${effect.device}`;
    case 'interrupted':
      return `interrupted: ${effect.order.device} ${effect.why}`;
    case 'give-up':
      return `give up ${effect.device}`;
    default:
      return effect.type;
  }
}
