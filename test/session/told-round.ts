import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { Block, OrderTag } from '../../signaling/protocol/round.ts';
import {
  type AbleDevice,
  beginRound,
  type RoundEffect,
  type RoundEvent,
  type RunningRound,
  stepRound,
} from '../../web/session/rounds/round-step.ts';
import { profile } from '../protocol/samples.ts';

/** A round as data: events in, effects out, no link and no clock. */
const LAYERS = 6;
export const TERM = 4;
export const ROUND = 7;
export const SAMPLES = 8;

interface Share {
  readonly layers: number[];
  readonly head?: boolean;
  readonly start?: number;
  readonly count?: number;
}

function plan(latencySeconds: number, work: Record<string, Share>): RoomPlan {
  return {
    version: 1,
    policy: 'crunch',
    solver: '',
    solveMs: 0,
    latencySeconds,
    lowerBoundSeconds: latencySeconds,
    limitedBy: '',
    explanation: '',
    assignments: Object.entries(work).map(([device, { layers, head = false, start = 0, count = SAMPLES }]) => ({
      device,
      layers,
      head,
      samples: { start, count },
      microBatch: count,
      memoryBytes: 0,
      share: 0.5,
      uploadBits: 0,
      computeSeconds: latencySeconds,
      uploadSeconds: 0,
    })),
  };
}

export const able = (...ids: string[]): AbleDevice[] => ids.map((device) => ({ device, profile: profile() }));
/** Of these devices, `spared` are on probation. */
const sparing = (devices: readonly AbleDevice[], spared: readonly string[]): AbleDevice[] =>
  devices.map((one) => (spared.includes(one.device) ? { ...one, onProbation: true } : one));
export const tag = (order: number, epoch = 1): OrderTag => ({ term: TERM, round: ROUND, order, epoch });
export const gradient = (device: string, of: OrderTag, block: Block, atMs = 0, values = 4): RoundEvent => ({
  type: 'gradient',
  device,
  tag: of,
  block,
  gradient: new Float32Array(values),
  bits: 32 * values,
  atMs,
});
/** A broken GPU's, or a broken round's. */
export const notFinite = (device: string, of: OrderTag, block: Block): RoundEvent => ({
  type: 'gradient',
  device,
  tag: of,
  block,
  gradient: Float32Array.of(1, Number.NaN, 1, 1),
  bits: 32 * 4,
  atMs: 0,
});
export const done = (device: string, of: OrderTag, lossSum = 0, atMs = 0): RoundEvent => ({
  type: 'done',
  device,
  tag: of,
  lossSum,
  computeSeconds: 2,
  atMs,
});
export const failed = (device: string, of: OrderTag): RoundEvent => ({
  type: 'failed',
  device,
  tag: of,
  sentence: 'No.',
});
export const devices = (ids: string[], ...lost: string[]): RoundEvent => ({
  type: 'devices',
  lost,
  able: able(...ids),
});
export const LATE: RoundEvent = { type: 'late' };

/** The effects in short: what the rim would do. */
function short(effect: RoundEffect): string {
  switch (effect.type) {
    case 'send': {
      const { number, epoch, device, layers, head, samples } = effect.order;
      const blocks = [...layers, ...(head ? ['head'] : [])].join(',');
      return `send ${device} ${number}.${epoch} [${blocks}] ${samples.start}+${samples.count}`;
    }
    case 'abandon':
      return `abandon ${effect.device} ${effect.tag.order}.${effect.tag.epoch}`;
    case 'wait':
      return `wait ${effect.ms}`;
    case 'moved':
      return `${effect.from} ${effect.why} -> ${effect.to}`;
    case 'trouble':
      return `trouble ${effect.device}`;
    case 'give-up':
      return `give up: ${effect.device} ${effect.sentence}`;
    default:
      return effect.type;
  }
}

/** A round that is told one event after the other. */
export class Told {
  state: RunningRound;
  readonly begun: string[];

  constructor(
    work: Record<string, Share>,
    options: { linked?: string[]; able?: string[]; spared?: string[]; latencySeconds?: number } = {},
  ) {
    const names = Object.keys(work);
    const { state, effects } = beginRound({
      term: TERM,
      round: ROUND,
      samples: SAMPLES,
      plan: plan(options.latencySeconds ?? 1, work),
      layers: LAYERS,
      linked: new Set(options.linked ?? names),
      able: sparing(able(...(options.able ?? options.linked ?? names)), options.spared ?? []),
    });
    this.state = state;
    this.begun = effects.map(short);
  }

  get lossSum(): number {
    return [...this.state.losses.values()].reduce((sum, loss) => sum + loss, 0);
  }

  take(event: RoundEvent): string[] {
    const { state, effects } = stepRound(this.state, event);
    this.state = state;
    return effects.map(short);
  }

  takeAll(...events: RoundEvent[]): string[] {
    return events.flatMap((event) => this.take(event));
  }
}

/** Everything that a device makes of an order. */
export const allOf = (device: string, of: OrderTag, blocks: Block[], lossSum = 0): RoundEvent[] => [
  ...blocks.map((block) => gradient(device, of, block)),
  done(device, of, lossSum),
];
