import { startThread } from '../node/start-thread.ts';
import type { PlanAnswer } from '../planner/problem/answer.ts';
import type { PlannedPipeline, ReplicatedPlan, SplitAnswer, SplitPlan } from '../planner/replicas/answer.ts';
import { POLICIES } from '../protocol/settings.ts';
import { CommandError, number, oneOf, printable, readArguments, wholeNumber } from './command-line.ts';
import type { PlanFileRequest, PlanReply } from './plan-thread.ts';
import { readWhole } from './read-whole.ts';

const TIME_LIMIT_SECONDS = 60;
/** The text must also fit one string, and V8's end just above this. */
const MAX_FILE_BYTES = 500e6;

const HELP = `Usage: tabloom plan FILE [options]

Solves a planning problem: which device trains which block, and with how much bandwidth.

  FILE              a problem as JSON, tabular, detailed or split (docs/planner.md); - reads standard input
  --policy P        ${POLICIES.join(', ')} (auto)
  --seed N          seed of the random policy (0)
  --time-limit S    give up after so many seconds (${TIME_LIMIT_SECONDS})
  --json            print the answer as JSON
  --help            show this

Exit code 0 with a plan, 1 when no plan is feasible or none was found in time, 2 when the file or an option cannot be used.
`;

export async function planCommand(argv: string[]): Promise<number> {
  const { values, positionals } = readArguments(
    argv,
    {
      policy: { type: 'string', default: 'auto' },
      seed: { type: 'string', default: '0' },
      'time-limit': { type: 'string', default: String(TIME_LIMIT_SECONDS) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 1, max: 1, what: 'The file of a planning problem' },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const policy = oneOf('policy', values.policy, POLICIES);
  const seed = wholeNumber('seed', values.seed, 0, 2 ** 32 - 1);
  const limitSeconds = number('time-limit', values['time-limit'], 1e-3, 86_400);
  const bytes = await readWhole(positionals[0], MAX_FILE_BYTES);
  const reply = await planned({ bytes, policy, seed }, limitSeconds);
  if ('sentence' in reply) throw new CommandError(printable(reply.sentence));
  const { answer } = reply;
  process.stdout.write(values.json ? `${JSON.stringify(answer)}\n` : describe(answer));
  return answer.feasible ? 0 : 1;
}

/** Asks a thread, and ends it when the time is up. */
function planned(request: PlanFileRequest, limitSeconds: number): Promise<PlanReply> {
  const { policy } = request;
  const thread = startThread(new URL('./plan-thread.ts', import.meta.url));
  const gaveUp = (reason: string): PlanReply => ({
    answer: { policy, feasible: false, reason, solver: 'none', solveMs: 1000 * limitSeconds },
  });
  return new Promise<PlanReply>((resolve, reject) => {
    const timer = setTimeout(
      () =>
        resolve(
          gaveUp(`there was none within ${limitSeconds} s; allow more with --time-limit or choose a simpler policy`),
        ),
      1000 * limitSeconds,
    );
    thread.once('message', (reply: PlanReply) => {
      clearTimeout(timer);
      resolve(reply);
    });
    thread.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
        resolve({ sentence: 'The problem needs more memory than there is; plan for fewer devices.' });
      else reject(error);
    });
    thread.postMessage(request);
  }).finally(() => thread.terminate());
}

function describe(answer: PlanAnswer | SplitAnswer): string {
  if (!answer.feasible) return `No plan: ${printable(answer.reason)}\n`;
  if ('stages' in answer || 'pipelines' in answer) return describeSplit(answer);
  const rows = [...answer.assignments]
    .sort((a, b) => a.depth - b.depth || (a.device < b.device ? -1 : 1))
    .map((a) => [
      String(a.depth),
      printable(a.device),
      a.computeSeconds.toPrecision(4),
      a.uploadSeconds.toPrecision(4),
      a.bandwidthHz.toPrecision(4),
    ]);
  return lines(
    `policy ${answer.policy} (${answer.solver}), ${answer.solveMs.toFixed(1)} ms`,
    latencyText(answer),
    '',
    ...columns([['depth', 'device', 'compute s', 'upload s', 'bandwidth Hz'], ...rows]),
  );
}

function describeSplit(answer: SplitPlan | ReplicatedPlan): string {
  const head = [`policy split, ${answer.solveMs.toFixed(1)} ms`, latencyText(answer)];
  if ('stages' in answer) return lines(...head, ...pipelineLines(answer));
  return lines(
    ...head,
    `${answer.pipelines.length} pipelines`,
    ...answer.pipelines.flatMap((pipeline) => {
      const { samples, latencySeconds } = pipeline;
      const last = samples.start + samples.count - 1;
      const said = `samples ${samples.start} to ${last}, ${latencySeconds.toPrecision(4)} s`;
      return ['', said, ...pipelineLines(pipeline)];
    }),
  );
}

/** Stages from the embeddings up. */
function pipelineLines({
  microBatches,
  windowRule,
  stages,
}: Pick<PlannedPipeline, 'microBatches' | 'windowRule' | 'stages'>): string[] {
  const ahead = {
    1: 'windows grow by 1 a stage',
    2: 'windows grow by 2 a stage',
    all: 'windows as large as memory allows',
  };
  const rows = stages.map((stage) => [
    printable(stage.device),
    `${stage.from} to ${stage.to - 1}`,
    stage.window === 0 ? 'forward only' : String(stage.window),
    stage.forwardSeconds.toPrecision(4),
    stage.backwardSeconds.toPrecision(4),
    (stage.memoryBytes / 1e6).toFixed(1),
  ]);
  return [
    `${microBatches} ${microBatches === 1 ? 'micro-batch' : 'micro-batches'}, ${ahead[windowRule]}`,
    '',
    ...columns([['device', 'units', 'window', 'forward s', 'backward s', 'memory MB'], ...rows]),
  ];
}

function latencyText({ latencySeconds, lowerBoundSeconds }: { latencySeconds: number; lowerBoundSeconds: number }) {
  const gap = lowerBoundSeconds > 0 ? latencySeconds / lowerBoundSeconds - 1 : 0;
  return `latency ${latencySeconds.toPrecision(4)} s, lower bound ${lowerBoundSeconds.toPrecision(4)} s (gap ${(100 * gap).toFixed(1)} %)`;
}

function columns(table: readonly (readonly string[])[]): string[] {
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  return table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
}

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;
