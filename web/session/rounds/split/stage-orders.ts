import { trainedLayers } from '../../../../signaling/protocol/adapters.ts';
import { trainedBlocks } from '../../../../signaling/protocol/exchange/stage-messages.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import { microBatchSizes, type UnitRun, unitCount } from '../../../../signaling/protocol/split.ts';
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

/** Gives a stage its order: of the samples, what it needs of them; of the parameters, those of its own blocks. */
export function sendStageOrder(
  { batch, parameters, settings, deviceLinks }: Pick<OrderInput, 'batch' | 'parameters' | 'settings' | 'deviceLinks'>,
  round: RoundState,
  places: Places,
  order: Order,
): void {
  const stage = stageOf(order);
  const { samples, share, recompute } = order;
  const rows = samplesOf(batch, samples.start, samples.count);
  const { layers } = settings.shape;
  const { dropout, seed } = settings.training;
  const isFirst = stage.from === 0;
  const isLast = stage.to === unitCount(layers);
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
      below: facing(neighbourOf(places, order, 'below')),
      above: facing(neighbourOf(places, order, 'above')),
      layers: [...order.layers],
      head: order.head,
      lowest: trainedLayers(settings.lora, layers)[0] ?? layers,
      recompute,
      share,
      dropout: { probability: dropout, seed },
    },
    [rows.lengths, rows.positions, ...(isFirst ? [rows.ids] : []), ...(isLast ? [rows.labels] : [])],
    blocksOf(parameters.values, stage, settings),
  );
}

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
