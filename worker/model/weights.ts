import { type ByteSource, readAhead } from './byte-source.ts';
import {
  decodeFloats,
  headerBytes,
  PREFIX_BYTES,
  parseHeader,
  SafetensorsError,
  type TensorEntry,
} from './safetensors.ts';

/** The tensors of a model file, by Hugging Face's names for RobertaForSequenceClassification. */
export interface Weights {
  /** Bytes of all tensors as f32. */
  readonly totalBytes: number;
  /** Whether the file has the tensor in exactly this shape. */
  has(name: string, shape: readonly number[]): boolean;
  /**
   * Values of a tensor as f32; may be a view of the file's bytes, so do not write to it.
   * @throws SafetensorsError when the file lacks it or has it in another shape or dtype.
   */
  read(name: string, shape: readonly number[]): Promise<Float32Array>;
  /** The same for several tensors, read in the order in which they lie in the file: models are read in few, large pieces. */
  readAll(wanted: readonly { readonly name: string; readonly shape: readonly number[] }[]): Promise<Float32Array[]>;
  /** The first row of a matrix with rows of `width`, however many there are. */
  readFirstRow(name: string, width: number): Promise<Float32Array>;
}

/** RobertaModel's own checkpoints lack the prefix that the task models give to the encoder. */
const ENCODER_PREFIX = 'roberta.';

const SMALL_BYTES = 64 * 1024;

/**
 * Opens a `model.safetensors`. Only the header is read here; each tensor is read when it is asked for, so that the caller decides
 * where its one copy lies.
 */
export async function openWeights(file: ByteSource, windowBytes?: number): Promise<Weights> {
  const source = readAhead(file, windowBytes);
  const prefix = await source.read(0, Math.min(PREFIX_BYTES, source.size));
  const jsonEnd = PREFIX_BYTES + headerBytes(prefix, source.size);
  const { tensors } = parseHeader(await source.read(0, jsonEnd), source.size);

  const find = (name: string): TensorEntry | undefined =>
    tensors.get(name) ?? (name.startsWith(ENCODER_PREFIX) ? tensors.get(name.slice(ENCODER_PREFIX.length)) : undefined);
  const sameShape = (entry: TensorEntry, shape: readonly number[]) =>
    entry.shape.length === shape.length && entry.shape.every((size, i) => size === shape[i]);
  let totalBytes = 0;
  for (const { shape } of tensors.values()) totalBytes += shape.reduce((a, b) => a * b, 4);

  const read = async (name: string, shape: readonly number[]): Promise<Float32Array> => {
    const entry = find(name);
    if (entry === undefined)
      throw new SafetensorsError(`The model file has no tensor "${name}"; is it a RoBERTa encoder?`);
    if (!sameShape(entry, shape))
      throw new SafetensorsError(
        `Tensor "${name}" has shape [${entry.shape.join(', ')}] in the model file; config.json implies [${shape.join(', ')}].`,
      );
    const values = decodeFloats(entry, await source.read(entry.start, entry.end));
    // A view of a few values would keep the piece of the file that it was read in.
    return values.byteLength < SMALL_BYTES && values.buffer.byteLength > values.byteLength ? values.slice() : values;
  };

  return {
    totalBytes,
    has: (name, shape) => {
      const entry = find(name);
      return entry !== undefined && sameShape(entry, shape);
    },
    read,
    readAll: async (wanted) => {
      const values: Float32Array[] = [];
      const inFileOrder = wanted.map((tensor, index) => ({ ...tensor, index, at: find(tensor.name)?.start ?? 0 }));
      for (const { name, shape, index } of inFileOrder.sort((a, b) => a.at - b.at))
        values[index] = await read(name, shape);
      return values;
    },
    readFirstRow: async (name, width) => (await read(name, [find(name)?.shape[0] ?? 1, width])).subarray(0, width),
  };
}
