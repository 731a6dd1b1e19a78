/**
 * A process that runs tests again and again in the folder that it was started in, for `run.ts`: starting once saves most of what a short run
 * costs. Each message in names a project, test files and the source that has changed; each message out says whether a test failed.
 */
import { resolve } from 'node:path';
import { createVitest, type Vitest } from 'vitest/node';

export interface TestRun {
  readonly project: 'unit' | 'engine';
  readonly tests: readonly string[];
  /** The source that differs from the project's; all others are as they were. */
  readonly changed: string;
}

let changedBefore: readonly string[] = [];
const opened = new Map<string, Promise<Vitest>>();

/** One process for all files, and one file after the other; silent. */
const open = (project: string): Promise<Vitest> =>
  createVitest('test', {
    watch: false,
    project: [project],
    bail: 1,
    pool: 'forks',
    isolate: false,
    fileParallelism: false,
    reporters: [{}],
  });

async function noticed({ project, tests, changed }: TestRun): Promise<boolean> {
  const vitest = await (opened.get(project) ?? opened.set(project, open(project)).get(project)!);
  const stale = [...changedBefore, resolve(changed)];
  changedBefore = [resolve(changed)];
  for (const one of await Promise.all(opened.values())) for (const path of stale) one.invalidateFile(path);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(
    await vitest.globTestSpecifications(tests.map((test) => resolve(test))),
  );
  return unhandledErrors.length > 0 || testModules.length === 0 || testModules.some((module) => !module.ok());
}

// Nobody waits any more.
process.on('disconnect', () => process.exit());
process.on('message', (run: TestRun) => {
  noticed(run).then(
    (answer) => process.send?.(answer),
    () => process.send?.(true),
  );
});
