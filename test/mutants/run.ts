/**
 * Changes the code on purpose, a little and one place at a time, and says which changes no test noticed:
 *
 *   npm run test:mutants -- PATH ... [--count 40] [--seed 1] [--line N]
 *
 * PATH begins the path of source files, such as worker/learn; `--count` places are drawn from them. The area's tests that import the changed
 * file run first, the others only where those notice nothing. Works on a copy in the system's temporary folder, so that nothing of the
 * project is touched, however it ends. Not every unnoticed change is a hole: some make no difference.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { type Area, areaOf } from './areas.ts';
import { readArguments, USAGE } from './arguments.ts';
import { type Mutation, mutated, mutationsOf } from './mutations.ts';
import { RUNNER_IS_STUCK, type TestRun } from './test-run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Not copied: large, or none of a test's business. */
const LEFT = new Set(['node_modules', '.git', 'dist', 'out', 'coverage', 'docs']);
/** A change that makes the tests take so many times as long, and so much more, has been noticed. */
const PATIENCE = { times: 3, moreMs: 20_000 };

interface Place {
  readonly path: string;
  readonly area: Area;
  readonly source: string;
  readonly mutation: Mutation;
  readonly line: number;
}

const asked = readArguments(process.argv.slice(2));
if (asked === null) {
  console.error(USAGE);
  process.exit(1);
}

const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => /^(signaling|worker|web)\/.*\.ts$/.test(path) && !path.endsWith('.d.ts'))
  .filter((path) => asked.paths.some((start) => path.startsWith(start)))
  .sort();

const places = sources.flatMap((path): Place[] => {
  const area = areaOf(path);
  const source = readFileSync(join(ROOT, path), 'utf8');
  if (area === undefined) return [];
  return mutationsOf(source).map((mutation) => {
    const line = source.slice(0, mutation.start).split('\n').length;
    return { path, area, source, mutation, line };
  });
});

/** Some of the places, spread by chance, in the order of the files. */
function drawn(all: readonly Place[], count: number, seed: number): readonly Place[] {
  const draw = drawsFrom(seed);
  const rest = [...all];
  while (rest.length > count) rest.splice(draw.below(rest.length), 1);
  return rest;
}

const wanted = asked.line === null ? places : places.filter(({ line }) => line === asked.line);
const chosen = drawn(wanted, asked.count, asked.seed);
const copy = mkdtempSync(join(tmpdir(), 'tabloom-mutants-'));

/** An area's test files in two runs: those that name the changed file themselves, and the others. */
function runsFor({ path, area }: Place): readonly (readonly string[])[] {
  const tests = area.tests.flatMap((test) =>
    test.endsWith('.ts')
      ? [test]
      : readdirSync(join(ROOT, test), { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.test.ts'))
          .map((name) => `${test}/${name.replaceAll('\\', '/')}`),
  );
  const near = new Set(tests.filter((test) => readFileSync(join(ROOT, test), 'utf8').includes(`/${path}'`)));
  return [tests.filter((test) => near.has(test)), tests.filter((test) => !near.has(test))].filter((run) => run.length);
}

let runner: ChildProcess | null = null;

/** Whether these tests fail in the copy, or take longer than that. */
function noticed(run: TestRun, patienceMs?: number, again = true): Promise<boolean> {
  const argv = ['--import', 'tsx', join(ROOT, 'test/mutants/runner.ts')];
  // Its own process group, so that whatever it started ends with it.
  runner ??= spawn(process.execPath, argv, { cwd: copy, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true });
  const child = runner;
  return new Promise((resolve) => {
    const done = (answer: boolean): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(answer);
    };
    const gone = (): void => {
      stop();
      done(true);
    };
    const timer = patienceMs === undefined ? undefined : setTimeout(gone, patienceMs);
    child.once('message', (answer) => done(answer === true));
    child.once('exit', (code) => {
      if (code !== RUNNER_IS_STUCK || !again) return gone();
      runner = null;
      clearTimeout(timer);
      resolve(noticed(run, patienceMs, false));
    });
    child.send(run);
  });
}

function stop(): void {
  if (runner?.pid !== undefined && runner.exitCode === null) {
    if (process.platform === 'win32') runner.kill();
    else process.kill(-runner.pid, 'SIGKILL');
  }
  runner = null;
}

function shown({ path, line, source, mutation }: Place): string {
  const was = source.slice(mutation.start, mutation.end).replace(/\s+/g, ' ');
  const short = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
  return `${path}:${line} ${mutation.kind}: ${short(was)} -> ${short(mutation.text.replace(/\s+/g, ' ')) || 'nothing'}`;
}

try {
  for (const entry of readdirSync(ROOT))
    if (!LEFT.has(entry)) cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');

  const patienceMs = new Map<Area, number>();
  for (const place of chosen) {
    const { project, tests } = place.area;
    if (patienceMs.has(place.area)) continue;
    const start = performance.now();
    if (await noticed({ project, tests, changed: place.path }))
      throw new Error(`${tests.join(', ')} fail as they are, so they cannot tell anything.`);
    patienceMs.set(place.area, Math.ceil(PATIENCE.times * (performance.now() - start)) + PATIENCE.moreMs);
  }
  let caught = 0;
  let tried = 0;
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      interrupted = true;
      stop();
    });
  for (const place of chosen) {
    const file = join(copy, place.path);
    writeFileSync(file, mutated(place.source, place.mutation));
    let seen = false;
    const { area, path } = place;
    for (const tests of runsFor(place))
      seen ||= await noticed({ project: area.project, tests, changed: path }, patienceMs.get(area));
    writeFileSync(file, place.source);
    if (interrupted) break;
    tried++;
    if (seen) caught++;
    else console.log(`not noticed  ${shown(place)}`);
  }
  console.log(`${caught} of ${tried} changes noticed (of ${wanted.length} places).`);
} finally {
  stop();
  rmSync(copy, { recursive: true, force: true });
}
