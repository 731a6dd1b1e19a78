import { MODEL_CHUNK_BYTES } from '../../signaling/protocol/exchange/model-messages.ts';
import { type ByteSource, readAhead } from '../files/byte-source.ts';
import {
  headerBytes,
  PREFIX_BYTES,
  parseHeader,
  SafetensorsError,
  START_BYTES,
  type TensorEntry,
} from './safetensors.ts';
import { ENCODER_PREFIX } from './tensor-names.ts';
import { decodeFloats, isFloat } from './tensor-values.ts';

/** A tensor as the model's shape implies it. */
export interface TensorSpec {
  /** Hugging Face's name in RobertaForSequenceClassification. */
  readonly name: string;
  readonly shape: readonly number[];
  /** The first row of a matrix that may have more of them; `shape` is [1, columns]. */
  readonly firstRowOnly?: boolean;
}

export interface WantedTensor extends TensorSpec {
  /**
   * Takes the tensor's values as f32, whole rows at a time and in order; `offset` counts values. The array is lent for the call only
   * and may be a view of the file: neither keep it nor write to it.
   */
  take(values: Float32Array, offset: number): void | Promise<void>;
}

/** The tensors of a model's files. */
export interface Weights {
  /** Whether the files have the tensor in exactly this shape. */
  has(name: string, shape: readonly number[]): boolean;
  /** The tensor's shape in the files; null where they lack it. */
  shapeOf(name: string): readonly number[] | null;
  /** Bytes of these tensors in the files, and how many of them this device keeps already. Throws as `stream` does. */
  fileBytes(wanted: readonly TensorSpec[]): { readonly total: number; readonly kept: number };
  /** The chunks of the files that these tensors lie in, headers included, in order. Throws as `stream` does. */
  chunks(wanted: readonly TensorSpec[]): readonly { readonly file: string; readonly chunk: number }[];
  /**
   * Reads tensors in the order in which they lie in the files, a piece of about a megabyte at a time: no tensor is ever whole in memory
   * but where the caller puts it.
   * @throws SafetensorsError when the files lack one, or have it in another shape or dtype, or it holds what is not a finite number.
   */
  stream(wanted: readonly WantedTensor[]): Promise<void>;
  /** Values of one tensor. Throws as `stream` does. */
  read(name: string, shape: readonly number[]): Promise<Float32Array>;
  /** The first row of a matrix with rows of `width`, however many there are. */
  readFirstRow(name: string, width: number): Promise<Float32Array>;
}

/** One of a model's safetensors files; most models have a single one. */
export interface Shard {
  readonly name: string;
  readonly source: ByteSource;
  /** Which tensors are to be found in it, by an index; null takes all that it holds. */
  readonly tensors: ReadonlySet<string> | null;
}

/** Checkpoints that were converted from TensorFlow call a LayerNorm's tensors so. */
const OLD_NAMES: readonly (readonly [RegExp, string])[] = [
  [/LayerNorm\.weight$/, 'LayerNorm.gamma'],
  [/LayerNorm\.bias$/, 'LayerNorm.beta'],
];

const PIECE_BYTES = 2 ** 20;

interface Located {
  readonly entry: TensorEntry;
  readonly shard: number;
}

/**
 * Opens a model's files. Only their headers are read here. `onRead` is told the bytes of tensors as they are read.
 * @throws SafetensorsError when a file is not what it should be.
 */
export async function openShards(shards: readonly Shard[], onRead?: (bytes: number) => void): Promise<Weights> {
  const tensors = new Map<string, Located>();
  for (const [shard, { name: file, source, tensors: listed }] of shards.entries()) {
    const found = await readHeader(source);
    for (const [name, entry] of found) if (listed === null || listed.has(name)) tensors.set(name, { entry, shard });
    for (const name of listed ?? [])
      if (!found.has(name))
        throw new SafetensorsError(`The index says that tensor ${quoted(name)} is in ${file}; that file lacks it.`);
  }

  const locate = ({ name, shape, firstRowOnly = false }: TensorSpec): Located => {
    const located = namesOf(name)
      .map((alias) => tensors.get(alias))
      .find((found) => found !== undefined);
    if (located === undefined)
      throw new SafetensorsError(`The model's files have no tensor "${name}"; is it a RoBERTa encoder?`);
    const { entry, shard } = located;
    if (!isFloat(entry.dtype))
      throw new SafetensorsError(
        `Tensor "${name}" is stored as ${entry.dtype.slice(0, 32)}; only F64, F32, F16 and BF16 are read. A quantised model cannot be trained here.`,
      );
    const cut = firstRowOnly && entry.shape.length === 2 && entry.shape[0]! > 1 ? firstRow(entry) : entry;
    if (cut.shape.length !== shape.length || cut.shape.some((size, i) => size !== shape[i]))
      throw new SafetensorsError(
        `Tensor "${name}" has shape [${entry.shape.join(', ')}] in the model's files; config.json implies [${shape.join(', ')}].`,
      );
    return { entry: cut, shard };
  };

  const stream = async (wanted: readonly WantedTensor[]): Promise<void> => {
    const inFileOrder = wanted
      .map((tensor) => ({ ...locate(tensor), take: tensor.take }))
      .sort((a, b) => a.shard - b.shard || a.entry.start - b.entry.start);
    // Of the longest piece so far, used over and over: what each leaves behind would stay until it is collected.
    let scratch = new Float32Array(0);
    for (const { entry, shard, take } of inFileOrder) {
      let offset = 0;
      for (const piece of piecesOf(entry)) {
        const bytes = await shards[shard]!.source.read(piece.start, piece.end);
        if (scratch.length < bytes.length / 2 && entry.dtype !== 'F32') scratch = new Float32Array(bytes.length / 2);
        const values = decodeFloats(piece, bytes, scratch);
        refuseInfinite(entry, values);
        await take(values, offset);
        offset += values.length;
        onRead?.(piece.end - piece.start);
      }
    }
  };
  const read = async (tensor: TensorSpec): Promise<Float32Array> => {
    const values = new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
    await stream([{ ...tensor, take: (piece, offset) => values.set(piece, offset) }]);
    return values;
  };

  return {
    shapeOf: (name) =>
      namesOf(name)
        .map((alias) => tensors.get(alias)?.entry.shape)
        .find((shape) => shape !== undefined) ?? null,
    has: (name, shape) => {
      try {
        locate({ name, shape });
        return true;
      } catch {
        return false;
      }
    },
    fileBytes: (wanted) => {
      const places = wanted.map(locate);
      return {
        total: places.reduce((sum, { entry }) => sum + entry.end - entry.start, 0),
        kept: places.reduce(
          (sum, { entry, shard }) => sum + (shards[shard]!.source.keptBytes?.(entry.start, entry.end) ?? 0),
          0,
        ),
      };
    },
    chunks: (wanted) => {
      const places = wanted.map(locate);
      return shards.flatMap(({ name: file, source }, index) => {
        const chunks = new Set(source.size > 0 ? [0] : []);
        for (const { entry, shard } of places)
          if (shard === index)
            for (let at = Math.floor(entry.start / MODEL_CHUNK_BYTES); at * MODEL_CHUNK_BYTES < entry.end; at++)
              chunks.add(at);
        return [...chunks].sort((a, b) => a - b).map((chunk) => ({ file, chunk }));
      });
    },
    stream,
    read: (name, shape) => read({ name, shape }),
    readFirstRow: (name, width) => read({ name, shape: [1, width], firstRowOnly: true }),
  };
}

/** Opens a `model.safetensors`. */
export function openWeights(file: ByteSource): Promise<Weights> {
  return openShards([{ name: 'model.safetensors', source: readAhead(file), tensors: null }]);
}

/** Reads a file's header, and no more than its first bytes where it is something else. */
export async function readHeader(source: ByteSource): Promise<ReadonlyMap<string, TensorEntry>> {
  const start = await source.read(0, Math.min(START_BYTES, source.size));
  const jsonEnd = PREFIX_BYTES + headerBytes(start, source.size);
  return parseHeader(await source.read(0, jsonEnd), source.size).tensors;
}

function namesOf(name: string): readonly string[] {
  const renamed = OLD_NAMES.filter(([pattern]) => pattern.test(name)).map(([pattern, old]) =>
    name.replace(pattern, old),
  );
  return [name, ...renamed].flatMap((alias) =>
    alias.startsWith(ENCODER_PREFIX) ? [alias, alias.slice(ENCODER_PREFIX.length)] : [alias],
  );
}

function firstRow(entry: TensorEntry): TensorEntry {
  const [rows, columns] = entry.shape;
  return { ...entry, shape: [1, columns!], end: entry.start + (entry.end - entry.start) / rows! };
}

/** A tensor as entries of its own for runs of whole rows. */
function* piecesOf(entry: TensorEntry): Generator<TensorEntry, void, void> {
  const rows = entry.shape.length === 2 ? entry.shape[0]! : 1;
  const rowBytes = (entry.end - entry.start) / rows;
  const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
  for (let row = 0; row < rows; row += rowsPerPiece)
    yield {
      ...entry,
      start: entry.start + row * rowBytes,
      end: entry.start + Math.min(rows, row + rowsPerPiece) * rowBytes,
    };
}

function refuseInfinite(entry: TensorEntry, values: Float32Array): void {
  let sum = 0;
  // Infinity * 0 and NaN * 0 are NaN: one comparison for all values.
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  if (sum !== 0) throw new SafetensorsError(`Tensor "${entry.name}" holds values that are not finite numbers.`);
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
