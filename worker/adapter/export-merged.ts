import { encodeHeader } from '../model/safetensors.ts';
import { type BaseModel, mergedTensors, type PlannedExport, planFolder } from './merged-model.ts';
import { mergedModelCard } from './model-card.ts';
import type { TrainedAdapter } from './trained-adapter.ts';

/** A whole model without PEFT, as `RobertaForSequenceClassification` saves it (F32). */
export function planMerged(adapter: TrainedAdapter, base: BaseModel): PlannedExport {
  const tensors = mergedTensors(adapter, base).map((tensor) => ({ ...tensor, dtype: 'F32' as const }));
  const header = encodeHeader(tensors, { format: 'pt' });
  const bytes = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 4), header.length);
  // One tensor of the base model is in memory besides the file itself.
  const make = async (): Promise<Uint8Array> => {
    const file = new Uint8Array(bytes);
    file.set(header);
    let at = header.length;
    for (const { values } of tensors) {
      const read = await values();
      file.set(new Uint8Array(read.buffer, read.byteOffset, read.byteLength), at);
      at += read.byteLength;
    }
    return file;
  };
  return planFolder(adapter, base, tensors, { name: 'model.safetensors', bytes, make }, mergedModelCard(adapter));
}
