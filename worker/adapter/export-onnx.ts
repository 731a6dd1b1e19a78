import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import { classifierGraph } from '../engine/onnx/classifier-graph.ts';
import { modelFile } from '../engine/onnx/model-proto.ts';
import { type BaseModel, bytesOf, mergedTensors, planFolder } from './merged-model.ts';
import { onnxModelCard } from './model-card.ts';
import type { PlannedExport } from './planned-export.ts';
import type { TrainedAdapter } from './trained-adapter.ts';

/** Protocol buffers' readers refuse larger messages. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * A whole model, adapters merged, as one ONNX file (f32, opset 17), in the folder that transformers.js opens: `onnx/model.onnx` beside
 * the configuration and the tokenizer.
 * @throws Error with one sentence when the model is too large for one file.
 */
export function planOnnx(adapter: TrainedAdapter, base: BaseModel): PlannedExport {
  const tensors = mergedTensors(adapter, base);
  const { byteLength, before } = modelFile(classifierGraph(base.shape, adapter.task.labelCount), tensors);
  if (byteLength > MAX_BYTES)
    throw new Error(
      `As ONNX the model would take ${bytesText(byteLength)}, and one ONNX file holds 2 GB; ` +
        'download the merged model instead and convert that, with its weights beside the graph.',
    );
  const pieces = async function* () {
    for (const [i, tensor] of tensors.entries()) {
      yield before[i]!;
      yield await bytesOf(tensor);
    }
  };
  const weights = { name: 'onnx/model.onnx', byteLength, pieces };
  return planFolder(adapter, base, tensors, weights, onnxModelCard(adapter));
}
