import { Worker } from 'node:worker_threads';

const TSX = import.meta.resolve('tsx/esm/api');

/**
 * A thread that runs a TypeScript module. `execArgv: ['--import', 'tsx']` is not enough: on Node 20 tsx's loader hooks do not reach a
 * thread that way, so the thread registers them itself before it loads the module.
 */
export function startThread(entry: URL, workerData?: unknown): Worker {
  const script = `import(${JSON.stringify(TSX)}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); })`;
  return new Worker(script, { eval: true, execArgv: [], workerData });
}
