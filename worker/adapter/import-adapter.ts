import { MAX_CLASSES, MAX_LORA_RANK } from '../../signaling/protocol/limits.ts';
import {
  LORA_TARGETS,
  type LoraSettings,
  type ModelShape,
  type ModelSource,
} from '../../signaling/protocol/settings.ts';
import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';
import type { ExportedFile } from '../api/host-api.ts';
import { parameterLayout } from '../model/layout.ts';
import { headerBytes, PREFIX_BYTES, parseHeader, START_BYTES, type TensorEntry } from '../model/safetensors.ts';
import { decodeFloats, isFloat } from '../model/tensor-values.ts';
import { baseModelNotices } from './base-model.ts';
import { type AdaptedModule, type LoraConfig, readLoraConfig } from './lora-config.ts';
import { peftSlotName } from './peft.ts';

export class AdapterError extends SentenceError {
  override readonly name = 'AdapterError';
}

/** An adapter that a session can go on from. */
export interface ImportedAdapter {
  readonly lora: LoraSettings;
  readonly labelCount: number;
  /** The flat vector of `parameterLayout(shape, lora, labelCount)`. */
  readonly values: Float32Array;
  /** Sentences: what of the adapter is not as the session has it. */
  readonly notices: readonly string[];
}

/** What of the session an adapter is held against; null where there is nothing to compare. */
export interface AdapterSession {
  /** Taken for files that record none. */
  readonly alpha: number;
  readonly model: ModelSource | null;
  readonly dropout: number | null;
}

const CONFIG = 'adapter_config.json';
/** PEFT writes two kilobytes; EVA's ranks by module some more. */
const MAX_CONFIG_BYTES = 2 ** 20;

/**
 * Reads an adapter for a model of `shape`: a PEFT folder (`adapter_config.json` and `adapter_model.safetensors`), or one safetensors file
 * with the names of the original LoRA release (loralib), which has no configuration: targets and ranks come from its tensors then.
 * @throws AdapterError with one sentence, or SafetensorsError.
 */
export async function readAdapter(
  files: readonly ExportedFile[],
  shape: ModelShape,
  session: AdapterSession,
): Promise<ImportedAdapter> {
  const configFile = files.find((file) => file.name === CONFIG);
  const tensorFiles = files.filter((file) => file.name.endsWith('.safetensors'));
  const tensorFile = tensorFiles.find((file) => file.name === 'adapter_model.safetensors') ?? tensorFiles[0];
  if (!tensorFile) {
    const pickle = files.find((file) => /\.(bin|pt|pth|ckpt)$/.test(file.name));
    throw new AdapterError(
      pickle
        ? `${pickle.name} is a pickle, which can run code when it is opened; save the adapter as safetensors.`
        : 'There is no adapter_model.safetensors among the files.',
    );
  }
  const notices: string[] = [];
  const stated = configFile ? statedConfig(configFile.bytes, shape, session, notices) : null;
  const tensors = readTensors(tensorFile.bytes);
  const config = stated ?? configOf(tensors, shape, session.alpha);
  const lora = trainable(config, shape.layers);
  const labelCount = tensors.get('classifier.out_proj.bias')?.shape[0];
  if (labelCount === undefined || labelCount < 1 || labelCount > MAX_CLASSES)
    throw new AdapterError(
      'The file has no classification head (classifier.out_proj.bias); it must come with the adapter.',
    );
  const layout = parameterLayout(shape, lora, labelCount);
  const values = new Float32Array(layout.length);
  for (const slot of [...layout.layers, layout.head].flatMap((block) => block.slots)) {
    const tensor = tensors.get(slot.name);
    if (!tensor) throw new AdapterError(`The adapter has no ${slot.name}; was it trained for this model?`);
    if (tensor.shape.join() !== slot.shape.join())
      throw new AdapterError(
        `The adapter's ${slot.name} has shape [${tensor.shape.join(', ')}]; this model needs [${slot.shape.join(', ')}].`,
      );
    const read = decodeFloats(tensor, tensorFile.bytes.subarray(tensor.start, tensor.end));
    if (!read.every(Number.isFinite))
      throw new AdapterError(`The adapter's ${slot.name} holds a value that is not finite.`);
    values.set(read, slot.offset);
    tensors.delete(slot.name);
  }
  refuseFurther(tensors, stated !== null, notices);
  return { lora, labelCount, values, notices };
}

function statedConfig(bytes: Uint8Array, shape: ModelShape, session: AdapterSession, notices: string[]): LoraConfig {
  if (bytes.length > MAX_CONFIG_BYTES)
    throw new AdapterError(`${CONFIG} has ${bytes.length} bytes; at most ${MAX_CONFIG_BYTES} are read.`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new AdapterError(`${CONFIG} is not JSON.`);
  }
  const reading = readLoraConfig(json, shape.layers);
  if (reading.config === null) throw new AdapterError(reading.refusals.join(' '));
  notices.push(...reading.notices, ...baseModelNotices(reading.config, session.model));
  const { dropout } = reading.config;
  if (dropout !== null && session.dropout !== null && dropout !== session.dropout)
    notices.push(
      `The adapter was trained with a dropout of ${dropout} on its inputs; this session's is ${session.dropout}.`,
    );
  return reading.config;
}

/** The file's tensors under the names of ParameterLayout; the file's own name where there is none. */
function readTensors(bytes: Uint8Array): Map<string, TensorEntry> {
  const jsonEnd = PREFIX_BYTES + headerBytes(bytes.subarray(0, START_BYTES), bytes.length);
  const read = new Map<string, TensorEntry>();
  for (const entry of parseHeader(bytes.subarray(0, jsonEnd), bytes.length).tensors.values()) {
    const name = peftSlotName(entry.name) ?? entry.name;
    if (read.has(name)) throw new AdapterError(`The adapter has ${name.slice(0, 100)} twice, under two names.`);
    read.set(name, entry);
  }
  return read;
}

/** What a file without a configuration must have been trained with. */
function configOf(tensors: ReadonlyMap<string, TensorEntry>, shape: ModelShape, alpha: number): LoraConfig {
  const modules = Array.from({ length: shape.layers }, (_, layer) =>
    LORA_TARGETS.flatMap((target): AdaptedModule[] => {
      const rank = tensors.get(`lora.layer.${layer}.${target}.A`)?.shape[0];
      return rank === undefined ? [] : [{ layer, target, rank, alpha }];
    }),
  ).flat();
  const outside = modules.find(({ rank }) => rank < 1 || rank > MAX_LORA_RANK);
  if (outside)
    throw new AdapterError(`The adapter has rank ${outside.rank}; ranks from 1 to ${MAX_LORA_RANK} can be trained.`);
  if (modules.length === 0) throw new AdapterError('The file has no LoRA matrices for any layer of this model.');
  return { modules, rankStabilised: false, dropout: null, baseModel: null, revision: null };
}

/** A session trains the same projections in every layer that has adapters, with one rank and one alpha for each layer. */
function trainable({ modules, rankStabilised }: LoraConfig, layers: number): LoraSettings {
  const adapted = [...new Set(modules.map(({ layer }) => layer))];
  const inLayer = (layer: number) => modules.filter((module) => module.layer === layer);
  const targetsOf = (layer: number) => inLayer(layer).map(({ target }) => target);
  const [first] = adapted as [number];
  const targets = targetsOf(first);
  const other = adapted.find((layer) => targetsOf(layer).join() !== targets.join());
  if (other !== undefined)
    throw new AdapterError(
      `The adapter is on ${targets.join(', ')} of layer ${first} and on ${targetsOf(other).join(', ')} of layer ${other}; a session trains the same projections in every layer.`,
    );
  const ofLayers = (what: 'rank' | 'alpha') => {
    const values = adapted.map((layer) => oneFor(what, inLayer(layer)));
    const common = mostCommon(values);
    const own = adapted.flatMap((layer, i) => (values[i] === common ? [] : [[layer, values[i]!] as const]));
    return { common, pattern: own.length === 0 ? null : Object.fromEntries(own) };
  };
  const [rank, alpha] = [ofLayers('rank'), ofLayers('alpha')];
  return {
    rank: rank.common,
    alpha: alpha.common,
    targets,
    ...(adapted.length < layers ? { layers: adapted } : {}),
    ...(rank.pattern && { rankPattern: rank.pattern }),
    ...(alpha.pattern && { alphaPattern: alpha.pattern }),
    ...(rankStabilised ? { rslora: true } : {}),
  };
}

function oneFor(what: 'rank' | 'alpha', [first, ...rest]: readonly AdaptedModule[]): number {
  const other = rest.find((module) => module[what] !== first![what]);
  if (other)
    throw new AdapterError(
      `The adapter's ${what}s differ within layer ${other.layer} (${what}_pattern): ${first![what]} on ${first!.target}, ${other[what]} on ${other.target}; a session trains one ${what} for each layer.`,
    );
  return first![what];
}

/** The first among equals. */
function mostCommon(values: readonly number[]): number {
  const count = (value: number) => values.filter((one) => one === value).length;
  return values.reduce((a, b) => (count(b) > count(a) ? b : a));
}

/** A float that nothing has asked for would be lost, and changes numbers; counters and masks do not. */
function refuseFurther(tensors: ReadonlyMap<string, TensorEntry>, hasConfig: boolean, notices: string[]): void {
  for (const [name, { dtype }] of tensors) {
    const called = name.slice(0, 100);
    if (isFloat(dtype)) {
      const reason =
        hasConfig && name.startsWith('lora.') ? `which ${CONFIG} does not name` : 'which this model has no place for';
      throw new AdapterError(`The adapter holds ${called}, ${reason}.`);
    }
    notices.push(`The adapter's ${called} (${dtype.slice(0, 32)}) is not used.`);
  }
}
