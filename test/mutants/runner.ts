/**
 * A process that runs tests again and again in the folder that it was started in, for `run.ts`: starting once saves most of what a short run
 * costs. Each message in names a project, test files and the source that has changed; each message out says whether a test failed.
 * Where no answer can be had the process ends.
 */
import { resolve } from 'node:path';
import { createVitest, type Vitest } from 'vitest/node';
import { RUNNER_IS_STUCK, type TestRun } from './test-run.ts';

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
  const specifications = await vitest.globTestSpecifications(tests.map((test) => resolve(test)));
  const asked = new Set(specifications.map(({ moduleId }) => moduleId));
  const result = await vitest.runTestSpecifications(specifications);
  const { unhandledErrors } = result;
  // It tells of earlier runs' files, too.
  const testModules = result.testModules.filter(({ moduleId }) => asked.has(moduleId));
  const errors = unhandledErrors.map((error) => (error instanceof Error ? error.message : String(error)));
  // After a run that was broken off the pool may still be at it.
  if (errors.some((message) => message.includes('[vitest-pool]'))) throw new Error(errors.join('; '));
  if (errors.length > 0 || testModules.some((module) => module.state() === 'failed')) return true;
  if (!testModules.every((module) => module.ok())) throw new Error('Some tests did not run.');
  return false;
}

// Nobody waits any more.
process.on('disconnect', () => process.exit());
process.on('message', (run: TestRun) => {
  noticed(run).then(
    (answer) => process.send?.(answer),
    () => process.exit(RUNNER_IS_STUCK),
  );
});
