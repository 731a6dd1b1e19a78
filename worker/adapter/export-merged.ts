import { encodeHeader } from '../model/safetensors.ts';
import { type BaseModel, bytesOf, mergedTensors, planFolder } from './merged-model.ts';
import { mergedModelCard } from './model-card.ts';
import type { PlannedExport } from './planned-export.ts';
import type { TrainedAdapter } from './trained-adapter.ts';

/** A whole model without PEFT, as `RobertaForSequenceClassification` saves it (F32). */
export function planMerged(adapter: TrainedAdapter, base: BaseModel): PlannedExport {
  const tensors = mergedTensors(adapter, base).map((tensor) => ({ ...tensor, dtype: 'F32' as const }));
  const header = encodeHeader(tensors, { format: 'pt' });
  const bytes = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 4), header.length);
  const pieces = async function* () {
    yield header;
    for (const tensor of tensors) yield await bytesOf(tensor);
  };
  const weights = { name: 'model.safetensors', byteLength: bytes, pieces };
  return planFolder(adapter, base, tensors, weights, mergedModelCard(adapter));
}
