import * as v from 'valibot';
import { textSchema } from './text/plain-text.ts';

const seconds = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1e6));
const bytes = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(2 ** 50));
/** From a bit a second on: what is sent at less would take times that are no numbers any more. */
const bitRate = v.pipe(v.number(), v.finite(), v.minValue(1), v.maxValue(1e15));
const rate = v.pipe(v.number(), v.finite(), v.gtValue(0), v.maxValue(1e18));

/**
 * What a device measured of itself with the real engine at the session's real shapes, in the coefficients of the cost model:
 * compute seconds of n samples down to d layers =
 *   overheadSeconds + n * (embed + layers * forwardPerLayer + d * backwardPerLayer + head)
 * and bytes of micro-batch m down to d layers =
 *   weightsBytes + m * (transientPerSample + d * savedPerSamplePerLayer) + d * gradientBytesPerLayer.
 * A device that can recompute may keep the layers' inputs alone and run each of the d layers forward a second time: `recompute` has what
 * then stands in the places of the same names, and the seconds grow by n * d * forwardPerLayer.
 */
export const ProfileSchema = v.strictObject({
  engine: v.picklist(['onnx', 'webgpu', 'reference']),
  /** What the engine ran on, for people to read: "WASM, 4 threads", "WebGPU, apple". */
  backend: textSchema(120, 0),
  overheadSeconds: seconds,
  secondsPerSample: v.strictObject({
    embed: seconds,
    forwardPerLayer: seconds,
    backwardPerLayer: seconds,
    head: seconds,
  }),
  /** Useful floating-point operations in a second of a layer, forward and backward together: for people, no plan is made of it. */
  flopsPerSecond: rate,
  /** Bytes that a plain copy reads and writes in a second, where the engine's tensors lie: for people, too. */
  memoryBytesPerSecond: rate,
  memory: v.strictObject({
    limitBytes: bytes,
    weightsBytes: bytes,
    transientPerSample: bytes,
    savedPerSamplePerLayer: bytes,
    gradientBytesPerLayer: bytes,
    recompute: v.optional(v.strictObject({ transientPerSample: bytes, savedPerSamplePerLayer: bytes })),
  }),
  /**
   * What single units cost, for rooms that split the model: the seconds of a pass that do not grow with its samples, and the bytes of
   * the frozen weights. Profiles of devices that hold a part are measured on one layer.
   */
  parts: v.optional(
    v.strictObject({
      fixedSeconds: v.strictObject({
        embed: seconds,
        forwardPerLayer: seconds,
        backwardPerLayer: seconds,
        head: seconds,
      }),
      embeddingBytes: bytes,
      layerBytes: bytes,
      headBytes: bytes,
    }),
  ),
  /** At which the model's files came, or a piece of them; absent where nothing was fetched yet. */
  downloadBitsPerSecond: v.optional(bitRate),
  /** Rate from this device to the host when it sends alone; for the host itself a rate that makes its uploads free. */
  linkBitsPerSecond: bitRate,
});
export type Profile = v.InferOutput<typeof ProfileSchema>;

/** The link rate that the host states for itself: its own gradients travel through memory. */
export const LOCAL_LINK_BITS_PER_SECOND = 1e12;
