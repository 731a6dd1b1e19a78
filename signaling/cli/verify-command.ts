import { FULL_LIMIT } from '../../worker/check/golden-check.ts';
import { type GoldenCase, readGoldenFile } from '../../worker/check/golden-file.ts';
import { createStages, runsOf, splitEngine } from '../../worker/check/split-engine.ts';
import { type EngineCheck, HALF_FACTOR, verifyEngine } from '../../worker/check/verify-engine.ts';
import { type HiddenCost, hiddenCost } from '../../worker/check/verify-hidden.ts';
import { checkSplit, type SplitCheck } from '../../worker/check/verify-split.ts';
import { ENGINES, type EngineKind } from '../../worker/device/engines.ts';
import { SafetensorsError } from '../../worker/model/safetensors.ts';
import { installNodeWebGpu } from '../../worker/node/node-webgpu.ts';
import { HIDDEN_STATES, type HiddenStates } from '../protocol/split.ts';
import { bytesText } from '../protocol/words/quantities.ts';
import { CommandError, printable, readArguments } from './command-line.ts';
import { readWhole } from './read-whole.ts';

const MAX_FILE_BYTES = 1000e6;

const HELP = `Usage: tabloom verify FILE... [options]

Trains the small model in each golden file with every engine that this machine has, and compares logits, loss, every
gradient and the loss before each AdamW step with what PyTorch computed; and gradients with dropout with a plain
reference in float64.

  FILE      a golden file (safetensors, made by PyTorch)
  --split LAYERS  cut the model into stages, a new one at each of these layers (2,4; counted from 0, the embeddings are
            below layer 0; beyond the last layer the head alone is cut off): an engine for each stage, hidden states and
            their gradient passed on between them as in a split room. Besides PyTorch they are held against the engine
            of the whole model: equal to the bit, the plain reference to 1e-6, half precision to 2^-10
  --hidden-states f16  with --split: also trains the stages with hidden states rounded to 16 bits between them, and prints
            how far their loss curve and gradient are from 32 bits and how many bytes that saves; no limit holds them
  --json    print the errors as JSON
  --help    show this

Errors are relative: the largest error over the tensor's largest value. In full precision each may be ${FULL_LIMIT}. Half
precision is measured by what rounding alone does: the plain reference runs once more with weights and activations
rounded to 16 bits, step after step at the same parameters, and an error may be ${HALF_FACTOR} times what it is there.
Exit code 0 when every engine is within them, 1 when one is not, 2 when a file or an option cannot be used.
`;

type Outcome =
  | ({
      readonly status: 'checked';
      readonly backend: string;
      readonly split?: SplitCheck;
      readonly hidden?: HiddenCost;
    } & EngineCheck)
  | { readonly status: 'failed' | 'absent'; readonly reason: string };

interface EngineOutcome {
  readonly engine: EngineKind['id'];
  readonly outcome: Outcome;
}

interface FileReport {
  readonly file: string;
  readonly engines: readonly EngineOutcome[];
}

export async function verifyCommand(argv: string[]): Promise<number> {
  const { values, positionals } = readArguments(
    argv,
    {
      split: { type: 'string' },
      'hidden-states': { type: 'string', default: 'f32' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 1, max: 1000, what: 'A golden file to check against' },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const cuts = values.split === undefined ? null : readCuts(values.split);
  const codec = HIDDEN_STATES.find((one) => one === values['hidden-states']);
  if (codec === undefined)
    throw new CommandError(
      `--hidden-states takes ${HIDDEN_STATES.join(' or ')}, not "${printable(values['hidden-states'])}".`,
    );
  if (codec !== 'f32' && cuts === null)
    throw new CommandError('--hidden-states is about what travels between stages: say where they begin with --split.');
  // All files are read before the first engine runs: a bad one is told at once.
  const cases: { file: string; golden: GoldenCase }[] = [];
  for (const file of positionals) cases.push({ file, golden: await readCase(file) });

  const webGpu = await installNodeWebGpu();
  const reports: FileReport[] = [];
  for (const { file, golden } of cases) {
    const engines: EngineOutcome[] = [];
    for (const kind of ENGINES) {
      engines.push({ engine: kind.id, outcome: await check(kind, golden, cuts, codec) });
    }
    reports.push({ file, engines });
    if (!values.json) process.stdout.write(describe(reports.at(-1)!));
  }
  webGpu.release();
  const ok = reports.every(({ engines }) =>
    engines.every(({ outcome }) => outcome.status === 'absent' || (outcome.status === 'checked' && outcome.ok)),
  );
  if (values.json) process.stdout.write(`${JSON.stringify({ ok, files: reports.map(plain) })}\n`);
  return ok ? 0 : 1;
}

async function readCase(file: string): Promise<GoldenCase> {
  const bytes = await readWhole(file, MAX_FILE_BYTES);
  try {
    return await readGoldenFile(bytes);
  } catch (error) {
    if (error instanceof SafetensorsError) throw new CommandError(`${printable(file)}: ${printable(error.message)}`);
    throw error;
  }
}

const MAX_CUTS = 100;

function readCuts(text: string): readonly number[] {
  const cuts = text.split(',').map((layer) => (/^\d{1,4}$/.test(layer.trim()) ? Number(layer) : Number.NaN));
  if (cuts.length > MAX_CUTS || cuts.some(Number.isNaN))
    throw new CommandError(`--split takes layers at which a stage begins, such as 2,4; not "${printable(text)}".`);
  return cuts;
}

async function check(
  kind: EngineKind,
  golden: GoldenCase,
  cuts: readonly number[] | null,
  codec: HiddenStates,
): Promise<Outcome> {
  const absent = await kind.absent();
  if (absent !== null) return { status: 'absent', reason: absent };
  try {
    const request = { ...golden, withDropout: true };
    const whole = await kind.create(request);
    let engine = whole;
    try {
      const stages = cuts === null ? [] : await createStages(kind.create, request, runsOf(cuts, golden.shape.layers));
      if (cuts !== null) engine = splitEngine(stages);
      const checked = await verifyEngine(engine, golden, kind.precision);
      if (cuts === null) return { status: 'checked', backend: engine.backend, ...checked };
      const split = await checkSplit(engine, whole, golden, kind.precision);
      const ok = checked.ok && split.difference <= split.limit;
      const rounded = codec === 'f32' ? {} : { hidden: await hiddenCost(stages, golden, codec) };
      return { status: 'checked', backend: engine.backend, ...checked, ok, split, ...rounded };
    } finally {
      if (engine !== whole) await engine.dispose();
      await whole.dispose();
    }
  } catch (error) {
    return { status: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** For JSON: a map becomes an object; an error that is not a number becomes null. */
function plain({ file, engines }: FileReport) {
  const figures = ({ gradients, ...others }: EngineCheck['errors']) => ({
    ...others,
    gradients: Object.fromEntries(gradients),
  });
  return {
    file,
    engines: engines.map(({ engine, outcome }) => {
      if (outcome.status !== 'checked') return { engine, ...outcome };
      const { status, backend, ok, errors, limits, split, hidden } = outcome;
      const further = { ...(split && { split }), ...(hidden && { hiddenStates: hidden }) };
      return { engine, status, backend, ok, ...figures(errors), limits: figures(limits), ...further };
    }),
  };
}

function describe({ file, engines }: FileReport): string {
  const lines = engines.flatMap(({ engine, outcome }) => {
    if (outcome.status !== 'checked') return [`  ${engine}: ${outcome.status}. ${outcome.reason}`];
    const { errors, limits, backend, ok, split, hidden } = outcome;
    const row = (name: string, error: number, limit: number) =>
      `    ${name.padEnd(44)} ${error.toExponential(2).padStart(9)}  ${error <= limit ? 'of' : 'above'} ${Number(limit.toPrecision(2))}`;
    return [
      `  ${engine} (${backend}): ${ok ? 'within the limits' : 'NOT within the limits'}`,
      row('logits', errors.logits, limits.logits),
      row('loss', errors.loss, limits.loss),
      ...[...errors.gradients].map(([name, error]) =>
        row(`gradient of ${name}`, error, limits.gradients.get(name) ?? Number.NaN),
      ),
      row('loss curve', errors.lossCurve, limits.lossCurve),
      row('gradients with dropout', errors.dropout, limits.dropout),
      ...(split === undefined ? [] : [row('in stages, against the whole', split.difference, split.limit)]),
      ...(hidden === undefined ? [] : [hiddenText(hidden)]),
    ];
  });
  return `${[file, ...lines].join('\n')}\n`;
}

const hiddenText = ({ steps, lossCurve, gradient, bytes, bytesIn32 }: HiddenCost): string =>
  `    hidden states in 16 bits: the loss is ${lossCurve.toExponential(1)} off 32 bits at most in ${steps} steps, the first gradient ${gradient.toExponential(1)}; ${bytesText(bytes)} instead of ${bytesText(bytesIn32)} between stages`;
