import { trainedLayers } from '../../../../signaling/protocol/adapters.ts';
import type { AuditTag } from '../../../../signaling/protocol/exchange/audit-tag.ts';
import type { FrameTensor } from '../../../../signaling/protocol/exchange/frames.ts';
import { type Neighbour, trainedBlocks } from '../../../../signaling/protocol/exchange/stage-messages.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import { microBatchSizes, type UnitRun, unitCount } from '../../../../signaling/protocol/split.ts';
import type { TokenBatch } from '../../../../worker/api/batch.ts';
import { tensorSizes } from '../../links/tensor-sizes.ts';
import type { DeviceLinks, ParameterState } from '../device-links.ts';
import { type Order, type RoundState, tagOf } from '../round.ts';
import { type OrderInput, samplesOf } from '../run-round.ts';
import { neighbourOf, type Places, stageOf } from './places.ts';

/** The parameters of a run's trained blocks, as they travel: the head's first, then the layers', ascending. */
export function blocksOf(values: Float32Array, run: UnitRun, settings: SessionSettings): Float32Array {
  const sizes = tensorSizes(settings);
  const { layers } = settings.shape;
  const lengths = Array.from({ length: layers }, (_, layer) => sizes.blockLength(layer) ?? 0);
  // The flat vector has the layers in their order, then the head.
  const offset = (block: number): number => lengths.slice(0, block).reduce((sum, length) => sum + length, 0);
  const slices = trainedBlocks(run, sizes).map((block) => {
    const from = offset(block === 'head' ? layers : block);
    return values.subarray(from, from + (sizes.blockLength(block) ?? 0));
  });
  const all = new Float32Array(slices.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const slice of slices) {
    all.set(slice, at);
    at += slice.length;
  }
  return all;
}

const facing = (order: Order | null) => order && { device: order.device, epoch: order.epoch };

/** Whether stages are checked, and between whom all goes by way of the host. */
export interface Checked {
  readonly isOn: boolean;
  readonly isWatched: (a: string, b: string) => boolean;
}

/** A stage's neighbour, as it is told to it. */
export function neighbourTold(own: Order, { device, epoch }: Order, { isWatched }: Checked): Neighbour {
  return { device, epoch, ...(isWatched(own.device, device) && { relayed: true }) };
}

/** Gives a stage its order: of the samples, what it needs of them; of the parameters, those of its own blocks. */
export function sendStageOrder(
  { batch, parameters, settings, deviceLinks }: Pick<OrderInput, 'batch' | 'parameters' | 'settings' | 'deviceLinks'>,
  round: RoundState,
  places: Places,
  order: Order,
  checked: Checked,
): void {
  const stage = stageOf(order);
  const { samples, share, recompute } = order;
  const beside = (side: 'below' | 'above'): Neighbour | null => {
    const other = neighbourOf(places, order, side);
    return other && neighbourTold(order, other, checked);
  };
  const rows = samplesOf(batch, samples.start, samples.count);
  const { layers } = settings.shape;
  const { dropout, seed } = settings.training;
  deviceLinks.sendStage(
    order.device,
    {
      type: 'stage-order',
      tag: tagOf(round, order),
      stage,
      sizes: [...microBatchSizes(samples.count, stage.microBatches)],
      version: parameters.version,
      tokens: batch.tokens,
      codec: settings.hiddenStates ?? 'f32',
      below: beside('below'),
      above: beside('above'),
      layers: [...order.layers],
      head: order.head,
      lowest: trainedLayers(settings.lora, layers)[0] ?? layers,
      recompute,
      share,
      ...(checked.isOn && { checked: true as const }),
      dropout: { probability: dropout, seed },
    },
    tensorsOf(rows, stage, layers),
    blocksOf(parameters.values, stage, settings),
  );
}

/** Has a device compute again what a stage did in an earlier round; its inputs follow. */
export function sendStageAudit(
  { batch, parameters, settings, deviceLinks }: Pick<OrderInput, 'batch' | 'parameters' | 'settings' | 'deviceLinks'>,
  round: number,
  tag: AuditTag,
  order: Order,
  device: string,
): void {
  const stage = stageOf(order);
  const { samples, recompute } = order;
  const rows = samplesOf(batch, samples.start, samples.count);
  const { layers } = settings.shape;
  const { dropout, seed } = settings.training;
  deviceLinks.show(device, {
    header: {
      type: 'stage-audit',
      tag,
      round,
      stage,
      sizes: [...microBatchSizes(samples.count, stage.microBatches)],
      version: parameters.version,
      parameters: true,
      tokens: batch.tokens,
      codec: settings.hiddenStates ?? 'f32',
      layers: [...order.layers],
      head: order.head,
      lowest: trainedLayers(settings.lora, layers)[0] ?? layers,
      recompute,
      dropout: { probability: dropout, seed },
    },
    tensors: [...tensorsOf(rows, stage, layers), blocksOf(parameters.values, stage, settings)],
  });
}

/** Of a stage's samples what it needs: all lengths and places, the ids at the bottom, the labels at the top. */
const tensorsOf = (rows: TokenBatch, stage: UnitRun, layers: number): readonly FrameTensor[] => [
  rows.lengths,
  rows.positions,
  ...(stage.from === 0 ? [rows.ids] : []),
  ...(stage.to === unitCount(layers) ? [rows.labels] : []),
];

/** The way of a chunk through a pipeline: every stage is told what it needs of it, the last one answers. */
export function sendStageChunk(
  deviceLinks: DeviceLinks,
  settings: SessionSettings,
  places: Places,
  parameters: ParameterState,
  chunk: {
    readonly tag: { readonly term: number; readonly evaluation: number; readonly chunk: number };
    readonly sizes: readonly number[];
    readonly ids: Int32Array;
    readonly lengths: Int32Array;
    readonly tokens: number;
  },
): void {
  for (const order of places) {
    const stage = { ...stageOf(order), window: 0, microBatches: chunk.sizes.length };
    deviceLinks.sendStage(
      order.device,
      {
        type: 'stage-evaluate',
        tag: chunk.tag,
        stage,
        sizes: [...chunk.sizes],
        version: parameters.version,
        tokens: chunk.tokens,
        codec: settings.hiddenStates ?? 'f32',
        below: facing(neighbourOf(places, order, 'below')),
        above: facing(neighbourOf(places, order, 'above')),
      },
      [chunk.lengths, ...(stage.from === 0 ? [chunk.ids] : [])],
      blocksOf(parameters.values, stage, settings),
    );
  }
}
