import type { ExportedFile } from '../api/host-api.ts';
import { encodeHeader } from '../model/safetensors.ts';
import { type BaseModel, mergedFolder, mergedTensors } from './merged-model.ts';
import { mergedModelCard } from './model-card.ts';
import type { TrainedAdapter } from './trained-adapter.ts';

/** A whole model without PEFT, as `RobertaForSequenceClassification` saves it (F32). */
export async function exportMerged(adapter: TrainedAdapter, base: BaseModel): Promise<readonly ExportedFile[]> {
  const tensors = mergedTensors(adapter, base).map((tensor) => ({ ...tensor, dtype: 'F32' as const }));
  const header = encodeHeader(tensors, { format: 'pt' });
  const bytes = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 4), header.length);
  // One tensor of the base model is in memory besides the file itself.
  const file = new Uint8Array(bytes);
  file.set(header);
  let at = header.length;
  for (const { values } of tensors) {
    const read = await values();
    file.set(new Uint8Array(read.buffer, read.byteOffset, read.byteLength), at);
    at += read.byteLength;
  }
  return mergedFolder(adapter, base, { name: 'model.safetensors', bytes: file }, mergedModelCard(adapter));
}
