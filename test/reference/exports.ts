import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import { readAdapters } from '../../signaling/protocol/words/adapters.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import type { ExportedFile, HostRequest, HostStart, OpenedSession } from '../../worker/api/host-api.ts';
import { loadTask } from '../../worker/data/load-task.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { Host } from '../../worker/host/host.ts';
import { evaluateBatch, runOrder } from '../../worker/learn/trainer.ts';
import { modelFileUrl } from '../../worker/model/model-files.ts';
import { openWeights } from '../../worker/model/weights.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';

/**
 * Exports of a short training run, and what Tabloom answers with them, for check_exports.py to open in PEFT, transformers and
 * onnxruntime; then the way back. See docs/learning.md.
 *
 *     npx tsx test/reference/exports.ts write FOLDER --task sst2     adapter/, merged/, onnx/ and ours.json
 *     python3 test/reference/check_exports.py FOLDER                 compares; saves the adapter again with PEFT: resaved/
 *     npx tsx test/reference/exports.ts go-on FOLDER --task sst2     resaved/ answers alike and is trained on
 *
 * Of another model than roberta-mini: --model FacebookAI/roberta-base --models-hub FOLDER, a folder with the hub's layout. From an
 * adapter instead of a fresh one: --adapter FILE, the original LoRA release's checkpoint.
 */
const { values: option, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    task: { type: 'string', default: 'sst2' },
    layers: { type: 'string', default: '' },
    'rank-pattern': { type: 'string', default: '' },
    'alpha-pattern': { type: 'string', default: '' },
    rslora: { type: 'boolean', default: false },
    hub: { type: 'string', default: '../shared/hub' },
    rounds: { type: 'string', default: '20' },
    samples: { type: 'string', default: '16' },
    model: { type: 'string' },
    'models-hub': { type: 'string', default: '../shared/hub' },
    adapter: { type: 'string' },
  },
});
const read = readAdapters({
  layers: option.layers,
  rankPattern: option['rank-pattern'],
  alphaPattern: option['alpha-pattern'],
  rslora: option.rslora,
});
if (!read.ok) throw new Error(Object.values(read.problems).join(' '));
const [action, folder = 'exports'] = positionals;
const rounds = Number(option.rounds);
const EXAMPLES = 24;

const folderUrl = (path: string) => new URL(`${path}/`, `file://${process.cwd()}/`).href;
const base = option.model
  ? fileURLToPath(`${folderUrl(option['models-hub'])}${option.model}/resolve/main`)
  : fileURLToPath(new URL('../../models/roberta-mini', import.meta.url));

const request: HostRequest = {
  model: option.model
    ? { kind: 'hub', id: option.model, endpoint: folderUrl(option['models-hub']), revision: 'main' }
    : { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: option.task, endpoint: folderUrl(option.hub) },
  lora: { rank: 4, alpha: 8, targets: ['query', 'value', 'intermediate.dense', 'output.dense'], ...read.adapters },
  training: {
    ...PLAIN_TRAINING,
    rounds,
    samplesPerRound: Number(option.samples),
    maxTokens: 64,
    learningRate: 5e-3,
    weightDecay: 0.01,
    warmupFraction: 0.06,
    dropout: 0,
    evaluateEvery: 0,
    seed: 1,
  },
  origin: new URL('../../', import.meta.url).href,
};

if (action === 'write') await write();
else if (action === 'go-on') await goOn();
else throw new Error('Say what to do: write or go-on.');

async function write(): Promise<void> {
  const run = await open(option.adapter ? { kind: 'adapter', files: [file(option.adapter)] } : undefined);
  const losses = await run.train();
  console.log(`trained ${rounds} rounds: loss ${losses[0]!.toFixed(3)} to ${losses.at(-1)!.toFixed(3)}`);
  const { host } = run;
  const batch = await host.devBatch(0, EXAMPLES);
  const logits = await run.logits();
  put('adapter', await host.exportAdapter());
  put('merged', await host.exportMerged());
  put('onnx', await host.exportOnnx());
  const { examples } = await loadTask(openFileOrHttp, request.task, () => {});
  const texts = examples.dev.slice(0, EXAMPLES).map(({ text, pair }) => (pair === null ? [text] : [text, pair]));
  const { tokens, lengths } = batch;
  const ours = {
    base,
    labelCount: run.opened.task.labelCount,
    maxTokens: request.training.maxTokens,
    texts,
    ids: Array.from(lengths, (length, i) => [...batch.ids.subarray(i * tokens, i * tokens + length)]),
    logits: [...logits],
  };
  writeFileSync(join(folder, 'ours.json'), JSON.stringify(ours));
}

function file(path: string): ExportedFile {
  return { name: basename(path), bytes: new Uint8Array(readFileSync(path)) };
}

function put(name: string, files: readonly ExportedFile[]): void {
  for (const file of files) {
    const path = join(folder, name, file.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.bytes);
  }
}

async function goOn(): Promise<void> {
  const names = readdirSync(join(folder, 'resaved'));
  const files = names.map((name) => file(join(folder, 'resaved', name)));
  const run = await open({ kind: 'adapter', files });
  const before: { logits: number[] } = JSON.parse(readFileSync(join(folder, 'ours.json'), 'utf8'));
  const apart = (await run.logits()).map((value, i) => Math.abs(value - before.logits[i]!));
  console.log(`the adapter that PEFT saved: rank ${run.opened.lora.rank} on ${run.opened.lora.targets.join(', ')}`);
  console.log(`largest difference of its logits from those before: ${Math.max(...apart).toExponential(1)}`);
  const losses = await run.train();
  const mean = (part: number[]) => part.reduce((a, b) => a + b, 0) / part.length;
  const [start, end] = [mean(losses.slice(0, 5)), mean(losses.slice(-5))];
  console.log(`trained on for ${rounds} rounds: mean loss of five rounds ${start.toFixed(3)} to ${end.toFixed(3)}`);
}

/** A host and one engine in this process. */
async function open(start: HostStart | undefined) {
  const host = new Host(openFileOrHttp);
  const opened: OpenedSession = await host.open(start ? { ...request, start } : request);
  const { shape, task, lora } = opened;
  const weights = await openWeights(
    await openFileOrHttp(modelFileUrl(request.model, request.origin, 'model.safetensors')),
  );
  const engine = await createOnnxEngine(
    { shape, lora, labelCount: task.labelCount, weights, weightStorage: 'f32', withDropout: false },
    'wasm',
  );
  const noPause = async () => {};
  const logits = async () => {
    await engine.setParameters((await host.parameters()).values);
    return evaluateBatch(engine, await host.devBatch(0, EXAMPLES), EXAMPLES, noPause);
  };
  const train = async (): Promise<number[]> => {
    const losses: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      await engine.setParameters((await host.parameters()).values);
      const batch = await host.roundBatch(round);
      const samples = batch.lengths.length;
      const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
      const dropout = { probability: 0, seed: 0 };
      const order = { round, batch, layers, head: true, microBatch: samples, dropout };
      const parts: GradientPart[] = [];
      for await (const part of runOrder(engine, order, noPause)) {
        if (part.kind === 'gradient')
          parts.push({ block: part.block, samples: { start: 0, count: samples }, gradient: part.gradient });
        else losses.push(part.lossSum / samples);
      }
      await host.step({ round, samples, parts, lossSum: losses.at(-1)! * samples });
    }
    return losses;
  };
  return { host, opened, logits, train };
}
