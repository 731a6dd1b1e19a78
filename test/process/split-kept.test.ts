import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWeights } from '../../worker/model/weights.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { RangeServer, servedBytes } from '../files/range-server.ts';
import { needs, WHOLE } from '../needs.ts';
import { fileUntil, TabloomProcess } from './tabloom-process.ts';

/**
 * What a session gives and keeps where no device can hold its model: a demo of three processes that is killed and goes on, its exports, its
 * downloads the second time, and a session that starts from its adapter.
 */
const MODEL = fileURLToPath(new URL('../../models/roberta-mini/', import.meta.url));
const ROUNDS = 12;
/** Three demos of three processes each, on a machine that may be busy. */
const PATIENCE_MS = 480_000;
let folder: string;
const hub = new RangeServer();
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-split-kept-'));
  await hub.start();
  for (const name of await readdir(MODEL))
    hub.files.set(`/some/mini/resolve/main/${name}`, servedBytes(await readFile(join(MODEL, name)), '"one"'));
});
afterAll(async () => {
  hub.stop();
  await rm(folder, { recursive: true, maxRetries: 9 });
});

/** roberta-mini's weights alone take 10.05 MB. */
const ROOM = ['--devices', '2', '--memory', '9.5MB', '--port', '0', '--json'];
const RECIPE = ['--samples', '8', '--tokens', '32', '--dropout', '0.1', '--rounds', String(ROUNDS)];
const model = (): string[] => ['--model', 'some/mini', '--hub', hub.url];
const demo = (...args: string[]) => new TabloomProcess(['demo', ...args]);

interface Result {
  readonly losses: readonly number[];
  readonly before: number;
  readonly after: number;
  readonly hiddenStateBytes?: number;
}
async function result(process: TabloomProcess): Promise<Result & { readonly err: string }> {
  const { code, out, err } = await process.ended;
  if (code !== 0) throw new Error(err);
  return { ...(JSON.parse(out) as Result), err };
}

const lossesOf = (log: Buffer): number[] =>
  String(log)
    .split('\n')
    .filter((line) => line.startsWith('{"type":"round"') && line.endsWith('}'))
    .map((line) => (JSON.parse(line) as { report: { loss: number } }).report.loss);

/** The first byte alone asks whether the file is still the same. */
const weightsAsked = (): readonly string[] =>
  hub.requests.filter((one) => /^GET .*\.safetensors/.test(one) && !one.endsWith(' bytes=0-0'));

it('is killed, goes on without fetching anything, and gives an adapter, a merged model and ONNX', {
  timeout: PATIENCE_MS,
  ...needs(WHOLE),
}, async () => {
  const cache = ['--cache', at('cache')];
  const file = at('run.safetensors');
  const fresh = [...ROOM, ...model(), '--policy', 'split', ...RECIPE, ...cache];
  const broken = demo(...fresh, '--out', at('broken'), '--checkpoint', file, '--log', at('run.jsonl'));
  const whileItRuns = <T>(wanted: Promise<T>): Promise<T> =>
    Promise.race([wanted, broken.ended.then(({ err }) => Promise.reject(new Error(`It ended before: ${err}`)))]);
  const told = /No single device here can hold the model \(10 MB of weights\); these (two|three) together can\./;
  await broken.until((text) => told.test(text));
  const trained = lossesOf(await whileItRuns(fileUntil(at('run.jsonl'), (log) => lossesOf(log).length >= 6)));
  await whileItRuns(fileUntil(file, (bytes) => bytes.length > 0));
  broken.child.kill('SIGKILL');
  await broken.ended;
  const asked = weightsAsked();
  expect(asked.length).toBeGreaterThan(0);

  const resumed = [...ROOM, ...cache, '--resume', file, '--export-as', 'adapter,merged,onnx', '--out', at('whole')];
  const whole = await result(demo(...resumed));
  expect(whole.losses).toHaveLength(ROUNDS);
  // Rounds after the checkpoint are trained again, perhaps with other micro-batches: a plan goes by what the devices measure now.
  for (const [i, loss] of trained.slice(0, 6).entries()) expect(Math.abs(whole.losses[i]! - loss)).toBeLessThan(1e-5);
  expect(whole.hiddenStateBytes).toBeGreaterThan(0);
  expect(weightsAsked().slice(asked.length)).toEqual([]);

  // The merged model and ONNX come from the hub's files, by way of the disk alone; the adapter is the one device's.
  const merged = await openWeights(await openFileOrHttp(pathToFileURL(at('whole/merged/model.safetensors')).href));
  const base = await openWeights(await openFileOrHttp(pathToFileURL(join(MODEL, 'model.safetensors')).href));
  const name = 'roberta.encoder.layer.3.output.dense.weight';
  expect(await merged.read(name, [128, 512])).toEqual(await base.read(name, [128, 512]));
  const query = 'roberta.encoder.layer.3.attention.self.query.weight';
  expect(await merged.read(query, [128, 128])).not.toEqual(await base.read(query, [128, 128]));
  expect((await stat(at('whole/onnx/onnx/model.onnx'))).size).toBeGreaterThan(9e6);

  const next = await result(
    demo(
      ...ROOM,
      ...model(),
      '--policy',
      'split',
      ...RECIPE.slice(0, -1),
      '1',
      '--start',
      at('whole'),
      '--out',
      at('next'),
    ),
  );
  expect(next.before).toBe(whole.after);
});
