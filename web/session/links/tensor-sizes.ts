import { headParameterCount, layerParameterCount } from '../../../signaling/protocol/adapter-size.ts';
import type { TensorSizes } from '../../../signaling/protocol/exchange/data-messages.ts';
import { labelsPerSample, type SessionSettings } from '../../../signaling/protocol/settings.ts';

/** What messages of this session are measured against. */
export function tensorSizes({ shape, lora, task }: SessionSettings): TensorSizes {
  const layer = layerParameterCount(shape, lora);
  const head = headParameterCount(shape, task.labelCount);
  return {
    parameterCount: shape.layers * layer + head,
    vocabSize: shape.vocabSize,
    labelsPerSample: labelsPerSample(task),
    blockLength: (block) => (block === 'head' ? head : block < shape.layers ? layer : undefined),
  };
}
