import * as v from 'valibot';
import { MAX_LAYERS } from '../../protocol/limits.ts';
import { SentenceError } from '../../protocol/text/sentence-error.ts';
import type { DetailedProblem, TabularProblem } from './problem.ts';

/** Bounds that keep a problem file from exhausting the machine that plans it. */
const MAX_DEVICES = 200_000;
const MAX_BLOCKS = 1024;
const MAX_TABLE_ENTRIES = 10_000_000;
const MAX_SAMPLES = 1_000_000;

/**
 * Quantities other than 0 lie between these: a plan is made of products and quotients of up to five of them, which then stay well within
 * float64. No unit of bits, bytes, hertz or seconds needs more.
 */
export const SMALLEST_QUANTITY = 1e-50;
export const LARGEST_QUANTITY = 1e50;
const inRange = (x: number) => x === 0 || (x >= SMALLEST_QUANTITY && x <= LARGEST_QUANTITY);
const RANGE = `0 or between ${SMALLEST_QUANTITY} and ${LARGEST_QUANTITY}`.replaceAll('+', '');

export const quantity = (what: string) =>
  v.pipe(
    v.number(`${what} must be a number`),
    v.finite(`${what} must be finite`),
    v.minValue(0, `${what} must not be negative`),
    v.check(inRange, `${what} must be ${RANGE}`),
    // -0 would be below 0 as a divisor.
    v.transform((x) => (x === 0 ? 0 : x)),
  );

/** One check for a whole row: a large table has millions of numbers. */
const row = (what: string) =>
  v.custom<readonly number[]>(
    (value) => Array.isArray(value) && value.every((x) => typeof x === 'number' && inRange(x)),
    `${what} must be a list of finite numbers that are not negative, each ${RANGE}`,
  );

/** For each depth, null where nobody trains. */
const perDepth = v.custom<readonly (number | null)[]>(
  (value) => Array.isArray(value) && value.every((x) => x === null || (typeof x === 'number' && inRange(x))),
  `layerUploadBits must be a number, or a list with one for each depth, each ${RANGE}, and null for a layer without adapters`,
);

export const id = v.pipe(
  v.string('id must be a text'),
  v.minLength(1, 'id must not be empty'),
  v.maxLength(200, 'id must have at most 200 characters'),
);
const link = {
  bitsPerSecondPerHz: v.optional(quantity('bitsPerSecondPerHz')),
  snrHz: v.optional(quantity('snrHz')),
};
const channel = v.optional(
  v.picklist(['ofdma', 'ofdma-power', 'airtime'], 'channel must be "ofdma", "ofdma-power" or "airtime"'),
);
const bandwidthHz = v.pipe(quantity('bandwidthHz'), v.gtValue(0, 'bandwidthHz must be above 0'));
export const count = (what: string, max: number) =>
  v.pipe(
    v.number(`${what} must be a number`),
    v.integer(`${what} must be a whole number`),
    v.minValue(1, `${what} must be at least 1`),
    v.maxValue(max, `${what} must be at most ${max}`),
  );
export const some = <T extends v.GenericSchema>(item: T, what: string, max = MAX_DEVICES) =>
  v.pipe(
    v.array(item, `${what} must be a list`),
    v.minLength(1, `${what} must not be empty`),
    v.maxLength(max, `${what} must have at most ${max} entries`),
  );

const TabularSchema = v.object({
  blocks: some(v.object({ uploadBits: quantity('uploadBits') }, 'must be an object'), 'blocks', MAX_BLOCKS),
  devices: some(
    v.object(
      {
        id,
        computeSeconds: row('computeSeconds'),
        memoryBytes: row('memoryBytes'),
        memoryLimitBytes: quantity('memoryLimitBytes'),
        ...link,
      },
      'must be an object',
    ),
    'devices',
  ),
  bandwidthHz,
  channel,
});

const DetailedSchema = v.object({
  model: v.object(
    {
      layers: count('layers', MAX_LAYERS),
      samples: count('samples', MAX_SAMPLES),
      head: v.optional(v.object({ uploadBits: quantity('uploadBits') }, 'head must be an object'), { uploadBits: 0 }),
      layerUploadBits: v.lazy((input) => (Array.isArray(input) ? perDepth : quantity('layerUploadBits'))),
    },
    'model must be an object',
  ),
  devices: some(
    v.object(
      {
        id,
        overheadSeconds: quantity('overheadSeconds'),
        secondsPerSample: v.object(
          {
            embed: quantity('embed'),
            forwardPerLayer: quantity('forwardPerLayer'),
            backwardPerLayer: quantity('backwardPerLayer'),
            head: quantity('head'),
          },
          'secondsPerSample must be an object',
        ),
        memory: v.object(
          {
            limitBytes: quantity('limitBytes'),
            weightsBytes: quantity('weightsBytes'),
            transientPerSample: quantity('transientPerSample'),
            savedPerSamplePerLayer: quantity('savedPerSamplePerLayer'),
            gradientBytesPerLayer: quantity('gradientBytesPerLayer'),
            recompute: v.optional(
              v.object(
                {
                  transientPerSample: quantity('transientPerSample'),
                  savedPerSamplePerLayer: quantity('savedPerSamplePerLayer'),
                },
                'recompute must be an object',
              ),
            ),
          },
          'memory must be an object',
        ),
        ...link,
      },
      'must be an object',
    ),
    'devices',
  ),
  bandwidthHz,
  channel,
  host: v.optional(v.string('host must be the id of a device')),
});

/** The input can not be planned; `message` is one sentence for the person who wrote it. */
export class ProblemError extends SentenceError {
  override readonly name = 'ProblemError';
}

/** Reads a problem in either form. Throws ProblemError. */
export function parseProblem(input: unknown): TabularProblem | DetailedProblem {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ProblemError('The problem must be a JSON object with "devices" and either "blocks" or "model".');
  }
  if ('model' in input === 'blocks' in input) {
    throw new ProblemError(
      'The problem must have either "blocks" (one block per device) or "model" (layers and samples).',
    );
  }
  // Before anything else: reading a million devices only to refuse them takes seconds.
  if ('devices' in input && Array.isArray(input.devices) && input.devices.length > MAX_DEVICES) {
    throw new ProblemError(`There are ${input.devices.length} devices; plan for at most ${MAX_DEVICES}.`);
  }
  return 'model' in input ? parseDetailed(input) : parseTabular(input);
}

function parseTabular(input: object): TabularProblem {
  const problem = read(TabularSchema, input) as TabularProblem;
  const depths = problem.blocks.length;
  if (depths * problem.devices.length > MAX_TABLE_ENTRIES) {
    throw new ProblemError(`The table has more than ${MAX_TABLE_ENTRIES} entries; plan for fewer devices or blocks.`);
  }
  checkDevices(problem);
  for (const device of problem.devices) {
    for (const field of ['computeSeconds', 'memoryBytes'] as const) {
      const given = device[field].length;
      if (given !== depths) {
        throw new ProblemError(
          `Device "${device.id}" has ${given} ${field} but there are ${depths} blocks; give one per depth.`,
        );
      }
    }
  }
  return problem;
}

function parseDetailed(input: object): DetailedProblem {
  const problem = read(DetailedSchema, input) as DetailedProblem;
  const { layers, layerUploadBits: bits } = problem.model;
  if (typeof bits !== 'number') {
    if (bits.length !== layers)
      throw new ProblemError(`There are ${bits.length} layerUploadBits but ${layers} layers; give one per depth.`);
    if (bits.every((x) => x === null))
      throw new ProblemError('No layer has adapters: every one of layerUploadBits is null; give bits to one at least.');
  }
  checkDevices(problem);
  if (problem.host !== undefined && !problem.devices.some((device) => device.id === problem.host)) {
    throw new ProblemError(`The host "${problem.host}" is not among the devices; name one of them.`);
  }
  return problem;
}

function checkDevices({ devices, channel: kind }: TabularProblem | DetailedProblem): void {
  const needed = kind === 'ofdma-power' ? 'snrHz' : 'bitsPerSecondPerHz';
  const seen = new Set<string>();
  for (const device of devices) {
    if (seen.has(device.id)) throw new ProblemError(`Two devices have the id "${device.id}"; ids must differ.`);
    seen.add(device.id);
    if (device[needed] === undefined) {
      throw new ProblemError(`Device "${device.id}" has no ${needed}, which channel "${kind ?? 'ofdma'}" needs.`);
    }
  }
}

/** Throws ProblemError with the first thing that is wrong. */
export function read<T extends v.GenericSchema>(schema: T, input: unknown): v.InferOutput<T> {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const missing = issue.received === 'undefined' ? 'it is missing' : issue.message;
  throw new ProblemError(`The problem's ${path ?? 'content'} is wrong: ${missing}.`);
}
