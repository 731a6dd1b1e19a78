import * as v from 'valibot';
import { MAX_LAYERS, MAX_SAMPLES_PER_ROUND } from '../../protocol/limits.ts';
import type { RelayedPair, SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { count, id, ProblemError, quantity, read, some } from '../problem/parse.ts';

/** Bounds what a search over orders of devices may be asked for. */
export const MAX_SPLIT_DEVICES = 256;
/** Every device with every other. */
const MAX_PAIRS = (MAX_SPLIT_DEVICES * (MAX_SPLIT_DEVICES - 1)) / 2;

const unitSeconds = (what: string) =>
  v.object(
    {
      embed: quantity('embed'),
      forwardPerLayer: quantity('forwardPerLayer'),
      backwardPerLayer: quantity('backwardPerLayer'),
      head: quantity('head'),
    },
    `${what} must be an object`,
  );

const SplitSchema = v.object({
  split: v.object(
    {
      layers: count('layers', MAX_LAYERS),
      samples: count('samples', MAX_SAMPLES_PER_ROUND),
      trainedLayers: v.pipe(
        v.number('trainedLayers must be a number'),
        v.integer('trainedLayers must be a whole number'),
        v.minValue(0, 'trainedLayers must not be negative'),
      ),
      hiddenBits: quantity('hiddenBits'),
      headCutBits: quantity('headCutBits'),
      messageBits: quantity('messageBits'),
      layerUploadBits: quantity('layerUploadBits'),
      headUploadBits: quantity('headUploadBits'),
      replayBytesPerSample: quantity('replayBytesPerSample'),
    },
    'split must be an object',
  ),
  devices: some(
    v.object(
      {
        id,
        fixedSeconds: unitSeconds('fixedSeconds'),
        secondsPerSample: unitSeconds('secondsPerSample'),
        memory: v.object(
          {
            limitBytes: quantity('limitBytes'),
            embeddingBytes: quantity('embeddingBytes'),
            layerBytes: quantity('layerBytes'),
            headBytes: quantity('headBytes'),
            transientPerSample: quantity('transientPerSample'),
            savedPerSamplePerLayer: quantity('savedPerSamplePerLayer'),
            gradientBytesPerLayer: quantity('gradientBytesPerLayer'),
          },
          'memory must be an object',
        ),
        bitsPerSecond: v.pipe(quantity('bitsPerSecond'), v.gtValue(0, 'bitsPerSecond must be above 0')),
        lagSeconds: quantity('lagSeconds'),
      },
      'must be an object',
    ),
    'devices',
    MAX_SPLIT_DEVICES,
  ),
  host: v.optional(v.string('host must be the id of a device')),
  /** Of the same model, which share the samples. */
  pipelines: v.optional(count('pipelines', MAX_SPLIT_DEVICES)),
  relayed: v.optional(
    v.pipe(
      v.array(v.strictTuple([id, id], 'must be a list of two ids'), 'relayed must be a list of pairs of ids'),
      v.maxLength(MAX_PAIRS, `relayed must have at most ${MAX_PAIRS} entries`),
    ),
  ),
});

/** Whether the input means to be a problem of a split room. */
export const isSplitForm = (input: unknown): input is { readonly split: unknown } =>
  typeof input === 'object' && input !== null && !Array.isArray(input) && 'split' in input;

/** Reads the form for split rooms. Throws ProblemError. */
export function parseSplitProblem(input: object): SplitProblem {
  if ('model' in input || 'blocks' in input) {
    throw new ProblemError('The problem must have one of "split", "model" and "blocks", not several.');
  }
  const problem = read(SplitSchema, input);
  const { layers, trainedLayers } = problem.split;
  if (trainedLayers > layers) {
    throw new ProblemError(`There are ${trainedLayers} trainedLayers but ${layers} layers; train those or fewer.`);
  }
  const seen = new Set<string>();
  for (const device of problem.devices) {
    if (seen.has(device.id)) throw new ProblemError(`Two devices have the id "${device.id}"; ids must differ.`);
    seen.add(device.id);
  }
  if (problem.host !== undefined && !seen.has(problem.host)) {
    throw new ProblemError(`The host "${problem.host}" is not among the devices; name one of them.`);
  }
  for (const pair of problem.relayed ?? []) checkPair(pair, seen, problem.host);
  return problem;
}

function checkPair(pair: RelayedPair, ids: ReadonlySet<string>, host: string | undefined): void {
  const stranger = pair.find((id) => !ids.has(id));
  if (stranger !== undefined)
    throw new ProblemError(`"${stranger}" in relayed is not among the devices; name pairs of them.`);
  if (pair[0] === pair[1])
    throw new ProblemError(`relayed pairs "${pair[0]}" with itself; name two devices that cannot meet.`);
  if (host !== undefined && pair.includes(host))
    throw new ProblemError(`relayed names the host "${host}", which everybody reaches; leave that pair out.`);
}
