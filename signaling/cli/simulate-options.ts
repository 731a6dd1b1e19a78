import { GLUE_LENGTHS } from '../simulate/glue-lengths.ts';
import { ADAPTED, ENCODERS } from '../simulate/model-costs.ts';
import type { SimulatedPolicy } from '../simulate/plots.ts';
import { SCENARIOS, type Scenario, type ScenarioName } from '../simulate/scenario.ts';
import { AXES, type AxisName, type Seeds } from '../simulate/sweep.ts';

/** What `tabloom simulate` takes, in the form of node's parseArgs. */
export const OPTIONS = {
  scenario: { type: 'string' },
  axes: { type: 'string' },
  policies: { type: 'string' },
  draws: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
  model: { type: 'string' },
  task: { type: 'string' },
  samples: { type: 'string' },
  rank: { type: 'string' },
  adapted: { type: 'string' },
  head: { type: 'boolean' },
  devices: { type: 'string' },
  'bandwidth-mhz': { type: 'string' },
  channel: { type: 'string' },
  gflops: { type: 'string' },
  'compute-spread': { type: 'string' },
  'server-speed': { type: 'string' },
  'memory-gb': { type: 'string' },
  'memory-spread': { type: 'string' },
  'power-dbm': { type: 'string' },
  'radius-m': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export type OptionValues = { readonly [name in keyof typeof OPTIONS]?: string | boolean | undefined };

export interface SimulateOptions {
  readonly name: string;
  readonly scenario: Scenario;
  readonly policies: readonly SimulatedPolicy[];
  readonly axes: readonly AxisName[];
  readonly seeds: Seeds;
  /** Folder for the JSON and the plots; null writes none. */
  readonly out: string | null;
}

/** In the order of tables and plots. */
const POLICIES: readonly SimulatedPolicy[] = [
  'teams',
  'exact',
  'lola',
  'crunch',
  'single',
  'data-parallel',
  'offload',
  'equal-bandwidth',
  'depth-unaware',
  'greedy',
  'random',
  'split',
];
/** Compared unless others are asked for: without pipelines, whose search takes longest, but where nothing else is possible. */
const USUAL = POLICIES.filter((policy) => policy !== 'split');
const WHERE_NONE_HOLDS: readonly SimulatedPolicy[] = ['teams', 'single', 'data-parallel', 'offload', 'split'];
const CHANNELS = ['ofdma', 'ofdma-power', 'airtime'] as const;
const scenarioNames = names(SCENARIOS);
const axisNames = names(AXES);

export const SIMULATE_HELP = `tabloom simulate: round latency of every planning policy on drawn fleets

  tabloom simulate [--scenario NAME] [--axes LIST] [--policies LIST] [--draws N] [--seed N] [--out FOLDER] [overrides]

  --scenario NAME    ${scenarioNames.join(', ')} (default base)
  --axes LIST        what varies, separated by commas: ${axisNames.join(', ')} (default all)
  --policies LIST    separated by commas (default ${USUAL.join(', ')}; with none-holds ${WHERE_NONE_HOLDS.join(', ')})
  --draws N          fleets drawn for every point, 2 to 1000 (default 30)
  --seed N           the first fleet's seed; the same seed gives the same results (default 1)
  --out FOLDER       write NAME.json and plots NAME-AXIS.svg, NAME-AXIS-relative.svg there; without it only tables are printed

Overrides of the scenario:
  --model NAME           ${names(ENCODERS).join(', ')}
  --task NAME            ${names(GLUE_LENGTHS).join(', ')}
  --samples N            samples in a round
  --rank N               LoRA rank
  --adapted NAME         ${ADAPTED.join(', ')}
  --head                 the classification head's gradient is uploaded too
  --devices N            devices in the fleet
  --bandwidth-mhz X      shared bandwidth
  --channel NAME         ${CHANNELS.join(', ')}
  --gflops X             centre of the devices' speed in training
  --compute-spread S     speeds are drawn from centre / S to centre * S
  --server-speed S       offload means a server of S * centre that sends nothing, not the first device of the fleet
  --memory-gb X          centre of the memory a tab may use
  --memory-spread S      memories are drawn from centre / S to centre * S
  --power-dbm X          transmit power
  --radius-m X           radius of the cell

Tables go to stdout, progress to stderr. Ctrl-C stops after the current fleet and keeps the axes that are complete.
docs/experiments.md explains the model and its parameters.
`;

/** Throws an Error with one sentence on what is wrong with an option. */
export function readOptions(values: OptionValues): SimulateOptions | 'help' {
  if (values.help === true) return 'help';
  const name: ScenarioName = choice(values, 'scenario', scenarioNames) ?? 'base';
  const scenario: Scenario = SCENARIOS[name];
  const model = choice(values, 'model', names(ENCODERS)) ?? scenario.model;
  const megahertz = number(values, 'bandwidth-mhz', 1e-3, 1e5);
  const gigaflops = number(values, 'gflops', 1e-3, 1e6);
  const gigabytes = number(values, 'memory-gb', 1e-3, 1e4);
  const { out } = values;
  return {
    name,
    scenario: {
      model,
      task: choice(values, 'task', names(GLUE_LENGTHS)) ?? scenario.task,
      samples: integer(values, 'samples', 1, 4096) ?? scenario.samples,
      rank: integer(values, 'rank', 1, 256) ?? scenario.rank,
      adapted: choice(values, 'adapted', ADAPTED) ?? scenario.adapted,
      head: values.head === true || scenario.head,
      blocks: ENCODERS[model].layers,
      devices: integer(values, 'devices', 1, 1000) ?? scenario.devices,
      bandwidthHz: megahertz === undefined ? scenario.bandwidthHz : megahertz * 1e6,
      channel: choice(values, 'channel', CHANNELS) ?? scenario.channel,
      computeFlops: gigaflops === undefined ? scenario.computeFlops : gigaflops * 1e9,
      computeSpread: number(values, 'compute-spread', 1, 1000) ?? scenario.computeSpread,
      serverSpeed: number(values, 'server-speed', 1e-3, 1e6) ?? scenario.serverSpeed,
      memoryBytes: gigabytes === undefined ? scenario.memoryBytes : gigabytes * 1e9,
      memorySpread: number(values, 'memory-spread', 1, 1000) ?? scenario.memorySpread,
      powerDbm: number(values, 'power-dbm', -50, 60) ?? scenario.powerDbm,
      radiusMeters: number(values, 'radius-m', 10, 1e5) ?? scenario.radiusMeters,
    },
    policies: list(values, 'policies', POLICIES) ?? (name === 'none-holds' ? WHERE_NONE_HOLDS : USUAL),
    axes: list(values, 'axes', axisNames) ?? axisNames,
    seeds: {
      first: integer(values, 'seed', 0, 2 ** 31 - 1) ?? 1,
      count: integer(values, 'draws', 2, 1000) ?? 30,
    },
    out: typeof out === 'string' ? out : null,
  };
}

type Name = keyof typeof OPTIONS;

function given(values: OptionValues, name: Name): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

function choice<T extends string>(values: OptionValues, name: Name, known: readonly T[]): T | undefined {
  const value = given(values, name);
  return value === undefined ? undefined : oneOf(value, name, known);
}

function list<T extends string>(values: OptionValues, name: Name, known: readonly T[]): readonly T[] | undefined {
  const chosen = given(values, name)
    ?.split(',')
    .map((part) => oneOf(part.trim(), name, known));
  return chosen && known.filter((value) => chosen.includes(value));
}

function oneOf<T extends string>(value: string, name: Name, known: readonly T[]): T {
  const found = known.find((other) => other === value);
  if (found === undefined) throw new Error(`--${name} knows ${known.join(', ')}, not "${value}".`);
  return found;
}

function number(values: OptionValues, name: Name, lowest: number, highest: number): number | undefined {
  const value = given(values, name);
  if (value === undefined) return undefined;
  const read = value.trim() === '' ? Number.NaN : Number(value);
  if (!(read >= lowest && read <= highest))
    throw new Error(`--${name} takes a number from ${lowest} to ${highest}, not "${value}".`);
  return read;
}

function integer(values: OptionValues, name: Name, lowest: number, highest: number): number | undefined {
  const value = number(values, name, lowest, highest);
  if (value !== undefined && !Number.isInteger(value))
    throw new Error(`--${name} takes a whole number from ${lowest} to ${highest}, not "${given(values, name)}".`);
  return value;
}

function names<T extends string>(record: Readonly<Record<T, unknown>>): readonly T[] {
  return Object.keys(record) as T[];
}
