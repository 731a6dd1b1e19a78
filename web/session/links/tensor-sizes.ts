import {
  adapterParameterCount,
  headParameterCount,
  layerParameterCount,
} from '../../../signaling/protocol/adapters.ts';
import type { TensorSizes } from '../../../signaling/protocol/exchange/data-messages.ts';
import { MAX_FRAME_HEAD_BYTES } from '../../../signaling/protocol/exchange/frames.ts';
import { TABLE_PIECE_BYTES } from '../../../signaling/protocol/exchange/table-messages.ts';
import { MAX_CHUNK_SAMPLES, MAX_HIDDEN_SAMPLES, MAX_PROBE_VALUES } from '../../../signaling/protocol/limits.ts';
import { labelsPerSample, type SessionSettings } from '../../../signaling/protocol/settings.ts';

/** What messages of this session are measured against. */
export function tensorSizes({ shape, lora, task, training, policy }: SessionSettings): TensorSizes {
  const maySplit = policy === 'auto' || policy === 'split';
  const layers = Array.from({ length: shape.layers }, (_, layer) => layerParameterCount(shape, lora, layer));
  const head = headParameterCount(shape, task.labelCount);
  const parameterCount = adapterParameterCount(shape, lora) + head;
  const samples = Math.max(training.samplesPerRound, MAX_CHUNK_SAMPLES);
  // Token ids, length, labels and position of each; then the parameters.
  const order = samples * (training.maxTokens + 2 + labelsPerSample(task)) + parameterCount;
  const hidden = maySplit
    ? Math.max(training.samplesPerRound, MAX_HIDDEN_SAMPLES) * training.maxTokens * shape.hiddenSize
    : 0;
  // An audit's answer has all blocks.
  const answer = Math.max(parameterCount, MAX_CHUNK_SAMPLES * task.labelCount, MAX_PROBE_VALUES, hidden);
  return {
    parameterCount,
    uploads: training.uploads,
    layers: shape.layers,
    vocabSize: shape.vocabSize,
    labelsPerSample: labelsPerSample(task),
    // A layer without adapters has no gradient that anybody could send.
    blockLength: (block) => (block === 'head' ? head : layers[block] || undefined),
    hiddenSize: shape.hiddenSize,
    toHostBytes: MAX_FRAME_HEAD_BYTES + 4 * answer,
    // What a host leaves to a device has two adapters.
    toDeviceBytes:
      MAX_FRAME_HEAD_BYTES +
      Math.max(4 * Math.max(order, hidden, 2 * parameterCount), task.id === 'own' ? TABLE_PIECE_BYTES : 0),
  };
}
