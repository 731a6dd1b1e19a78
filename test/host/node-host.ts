import { Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import type { HostWorkerApi, KnownRequest } from '../../worker/api/host-api.ts';
import type { NamedFile } from '../../worker/api/tables.ts';

/** A host in a worker thread of its own, as headless sessions start it. */
export function startNodeHost(): { host: HostWorkerApi; end(): Promise<number> } {
  const entry = new URL('../../worker/node/host-worker-node.ts', import.meta.url).href;
  // Under Vitest the main thread has no TypeScript loader for `--import tsx` to pass on, so the thread registers its own.
  const start = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(entry)}); })`;
  const worker = new Worker(start, { eval: true });
  // Comlink's Remote adds promises to methods that all return promises already.
  const host = wrap<HostWorkerApi>(nodeEndpoint(worker)) as unknown as HostWorkerApi;
  return { host, end: () => worker.terminate() };
}

/** A round of which nothing is merged. */
export const withoutRound = (host: Pick<HostWorkerApi, 'skip'>, round: number): Promise<void> => host.skip(round);

/** roberta-mini on the generated task. */
export const MINI_REQUEST: KnownRequest = {
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: 'grammar', endpoint: 'http://127.0.0.1:9/' },
  lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
  training: {
    ...PLAIN_TRAINING,
    rounds: 10,
    samplesPerRound: 8,
    maxTokens: 64,
    learningRate: 5e-3,
    weightDecay: 0.01,
    warmupFraction: 0.1,
    dropout: 0,
    evaluateEvery: 0,
    seed: 7,
  },
  origin: new URL('../../', import.meta.url).href,
};

/** The same on forty texts of one's own, with eighty to score: opened and scored in an instant. */
export const SMALL_REQUEST: KnownRequest = {
  ...MINI_REQUEST,
  task: {
    id: 'own',
    endpoint: '',
    own: {
      title: 'Small',
      train: table('train.csv', 40),
      dev: table('dev.csv', 80),
      columns: { text: 'text', pair: null, label: 'label' },
      kind: 'classification',
    },
  },
};

/** Good and bad in turn. */
function table(name: string, rows: number): NamedFile {
  const lines = Array.from(
    { length: rows },
    (_, i) => `the plot of film ${i} is ${i % 2 === 0 ? 'good' : 'bad'},${i % 2}\n`,
  );
  return { name, bytes: new TextEncoder().encode(`text,label\n${lines.join('')}`) };
}
