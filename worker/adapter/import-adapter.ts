import * as v from 'valibot';
import {
  LORA_TARGETS,
  type LoraSettings,
  type LoraTarget,
  type ModelShape,
} from '../../signaling/protocol/settings.ts';
import type { ExportedFile } from '../api/host-api.ts';
import { bytesSource } from '../files/byte-source.ts';
import { parameterLayout } from '../model/layout.ts';
import { headerBytes, PREFIX_BYTES, parseHeader, START_BYTES } from '../model/safetensors.ts';
import { decodeFloats } from '../model/tensor-values.ts';
import { peftSlotName } from './peft.ts';

export class AdapterError extends Error {
  override readonly name = 'AdapterError';
}

/** An adapter that a session can go on from. */
export interface ImportedAdapter {
  readonly lora: LoraSettings;
  readonly labelCount: number;
  /** The flat vector of `parameterLayout(shape, lora, labelCount)`. */
  readonly values: Float32Array;
}

/** What `adapter_config.json` must say for the adapter to be plain LoRA; everything else in it has no bearing on the values. */
const PeftConfigSchema = v.object({
  peft_type: v.literal('LORA', 'only LoRA adapters can be trained'),
  r: v.pipe(v.number(), v.integer(), v.minValue(1)),
  lora_alpha: v.pipe(v.number(), v.gtValue(0)),
  bias: v.optional(v.literal('none', 'adapters with biases are not supported'), 'none'),
  use_dora: v.optional(v.literal(false, 'DoRA is not supported'), false),
  use_rslora: v.optional(v.literal(false, 'rank-stabilised scaling is not supported'), false),
  rank_pattern: v.optional(v.strictObject({}, 'ranks that differ by layer are not supported'), {}),
  alpha_pattern: v.optional(v.strictObject({}, 'alphas that differ by layer are not supported'), {}),
});

/**
 * Reads an adapter for a model of `shape`: a PEFT folder (`adapter_config.json` and `adapter_model.safetensors`), or one safetensors file
 * with the names of the original LoRA release (loralib), which does not record its alpha: `alpha` is taken for it then.
 * Targets and rank come from the tensors themselves.
 * @throws AdapterError with one sentence, or SafetensorsError.
 */
export async function readAdapter(
  files: readonly ExportedFile[],
  shape: ModelShape,
  alpha: number,
): Promise<ImportedAdapter> {
  const config = files.find((file) => file.name === 'adapter_config.json');
  const tensorFile = files.find((file) => file.name.endsWith('.safetensors'));
  if (!tensorFile) {
    const pickle = files.find((file) => /\.(bin|pt|pth|ckpt)$/.test(file.name));
    throw new AdapterError(
      pickle
        ? `${pickle.name} is a pickle, which can run code when it is opened; save the adapter as safetensors.`
        : 'There is no adapter_model.safetensors among the files.',
    );
  }
  const tensors = await readTensors(tensorFile.bytes);
  const shapes = describe(tensors, shape);
  const stated = config ? readConfig(config.bytes) : { r: shapes.rank, lora_alpha: alpha };
  if (stated.r !== shapes.rank)
    throw new AdapterError(`adapter_config.json states rank ${stated.r}; the tensors have rank ${shapes.rank}.`);

  const lora: LoraSettings = { rank: shapes.rank, alpha: stated.lora_alpha, targets: shapes.targets };
  const layout = parameterLayout(shape, lora, shapes.labelCount);
  const values = new Float32Array(layout.length);
  const slots = [...layout.layers, layout.head].flatMap((block) => block.slots);
  for (const slot of slots) {
    const tensor = tensors.get(slot.name);
    if (!tensor) throw new AdapterError(`The adapter has no ${slot.name}; was it trained for this model?`);
    if (tensor.shape.join() !== slot.shape.join())
      throw new AdapterError(
        `The adapter's ${slot.name} has shape [${tensor.shape.join(', ')}]; this model needs [${slot.shape.join(', ')}].`,
      );
    if (!tensor.values.every(Number.isFinite))
      throw new AdapterError(`The adapter's ${slot.name} holds a value that is not finite.`);
    values.set(tensor.values, slot.offset);
    tensors.delete(slot.name);
  }
  const [unknown] = tensors.keys();
  if (unknown !== undefined) throw new AdapterError(`The adapter holds ${unknown}, which this model has no place for.`);
  return { lora, labelCount: shapes.labelCount, values };
}

interface AdapterTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The file's tensors under the names of ParameterLayout; the file's own name where there is none. */
async function readTensors(bytes: Uint8Array): Promise<Map<string, AdapterTensor>> {
  const source = bytesSource(bytes);
  const jsonEnd = PREFIX_BYTES + headerBytes(bytes.subarray(0, START_BYTES), bytes.length);
  const { tensors } = parseHeader(await source.read(0, jsonEnd), bytes.length);
  const read = new Map<string, AdapterTensor>();
  for (const entry of tensors.values()) {
    const values = decodeFloats(entry, bytes.subarray(entry.start, entry.end));
    read.set(peftSlotName(entry.name) ?? entry.name, { shape: entry.shape, values });
  }
  return read;
}

function describe(tensors: ReadonlyMap<string, AdapterTensor>, shape: ModelShape) {
  const present = (target: LoraTarget) => tensors.get(`lora.layer.${shape.layers - 1}.${target}.A`);
  const targets = LORA_TARGETS.filter((target) => present(target) !== undefined);
  const [first] = targets;
  if (first === undefined)
    throw new AdapterError(`The file has no LoRA matrices for layer ${shape.layers - 1} of this model.`);
  const labelCount = tensors.get('classifier.out_proj.bias')?.shape[0];
  if (labelCount === undefined || labelCount < 1 || labelCount > 1000)
    throw new AdapterError(
      'The file has no classification head (classifier.out_proj.bias); it must come with the adapter.',
    );
  const rank = present(first)?.shape[0] ?? 0;
  if (rank < 1 || rank > 256)
    throw new AdapterError(`The adapter has rank ${rank}; ranks from 1 to 256 can be trained.`);
  return { targets: [...targets], rank, labelCount };
}

function readConfig(bytes: Uint8Array): v.InferOutput<typeof PeftConfigSchema> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new AdapterError('adapter_config.json is not JSON.');
  }
  const read = v.safeParse(PeftConfigSchema, json);
  if (read.success) return read.output;
  const [issue] = read.issues;
  throw new AdapterError(`adapter_config.json: ${v.getDotPath(issue) ?? 'it'} cannot be used (${issue.message}).`);
}
