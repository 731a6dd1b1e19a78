import { readFile, stat } from 'node:fs/promises';
import type { PlanAnswer } from '../planner/problem/answer.ts';
import { ProblemError, parseProblem } from '../planner/problem/parse.ts';
import { solve } from '../planner/solve.ts';
import { POLICIES } from '../protocol/settings.ts';
import { CommandError, oneOf, readArguments, wholeNumber } from './command-line.ts';

const MAX_FILE_BYTES = 512 * 1024 * 1024;

const HELP = `Usage: tabloom plan FILE [options]

Solves a planning problem: which device trains which block, and with how much bandwidth.

  FILE          a problem as JSON, tabular or detailed (docs/planner.md); - reads standard input
  --policy P    ${POLICIES.join(', ')} (auto)
  --seed N      seed of the random policy (0)
  --json        print the answer as JSON
  --help        show this

Exit code 0 with a plan, 1 when no plan is feasible, 2 when the file or an option cannot be used.
`;

export async function planCommand(argv: string[]): Promise<number> {
  const { values, positionals } = readArguments(
    argv,
    {
      policy: { type: 'string', default: 'auto' },
      seed: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 1, max: 1 },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const policy = oneOf('policy', values.policy, POLICIES);
  const seed = wholeNumber('seed', values.seed, 0, 2 ** 32 - 1);
  const problem = readProblem(await readText(positionals[0]));
  const answer = solve(problem, policy, { seed, now: () => performance.now() });
  process.stdout.write(values.json ? `${JSON.stringify(answer)}\n` : describe(answer));
  return answer.feasible ? 0 : 1;
}

async function readText(path: string): Promise<string> {
  try {
    if (path === '-') {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    }
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new Error('it is larger than 512 MiB');
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(
      code === 'ENOENT' ? `There is no file "${path}".` : `The file "${path}" cannot be read: ${message}.`,
    );
  }
}

function readProblem(text: string): ReturnType<typeof parseProblem> {
  try {
    return parseProblem(JSON.parse(text));
  } catch (error) {
    if (error instanceof ProblemError) throw new CommandError(error.message);
    throw new CommandError(`The problem file is not JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function describe(answer: PlanAnswer): string {
  if (!answer.feasible) return `No plan: ${answer.reason}\n`;
  const gap = answer.lowerBoundSeconds > 0 ? answer.latencySeconds / answer.lowerBoundSeconds - 1 : 0;
  const head = [
    `policy ${answer.policy} (${answer.solver}), ${answer.solveMs.toFixed(1)} ms`,
    `latency ${answer.latencySeconds.toPrecision(4)} s, lower bound ${answer.lowerBoundSeconds.toPrecision(4)} s (gap ${(100 * gap).toFixed(1)} %)`,
  ];
  const rows = [...answer.assignments]
    .sort((a, b) => a.depth - b.depth || (a.device < b.device ? -1 : 1))
    .map((a) => [
      String(a.depth),
      a.device,
      a.computeSeconds.toPrecision(4),
      a.uploadSeconds.toPrecision(4),
      a.bandwidthHz.toPrecision(4),
    ]);
  const table = [['depth', 'device', 'compute s', 'upload s', 'bandwidth Hz'], ...rows];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const lines = table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
  return `${[...head, '', ...lines].join('\n')}\n`;
}
