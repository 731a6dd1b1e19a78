import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runSession } from '../../signaling/cli/demo/demo-session.ts';
import { LORA_TARGETS, PLAIN_TRAINING, SCHEDULES, type SessionSettings } from '../../signaling/protocol/settings.ts';
import { readAdapters } from '../../signaling/protocol/words/adapters.ts';
import { readClassWeights } from '../../signaling/protocol/words/class-weights.ts';
import type { RoomPlanner } from '../../signaling/server/plan-service.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { Host } from '../../worker/host/host.ts';
import { encodeSafetensors, type NamedTensor } from '../../worker/model/safetensors.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { DEALT } from '../process/dealt-plans.ts';
import { trainAlone } from '../process/one-device.ts';

/**
 * A task learnt in a room, alone or together, to be laid beside PyTorch: see docs/learning.md.
 *
 *     npx tsx test/reference/learning.ts inputs RUN --task sst2 ...    everything that train.py needs: RUN.safetensors
 *     npx tsx test/reference/learning.ts alone RUN --task sst2 ...     one device: RUN.alone.json
 *     npx tsx test/reference/learning.ts together RUN --task sst2 ...  the host and two processes over WebRTC: RUN.together.json
 *     npx tsx test/reference/learning.ts split RUN --task sst2 ...     the same three, none of which could hold the model: RUN.split.json
 *     npx tsx test/reference/learning.ts same RUN --task sst2 ...      one device with the micro-batches of split: RUN.same.json
 *
 * A RUN.*.json holds the rounds' losses, the scores, the seconds, and how many rounds had how many devices.
 */
const { values: option, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    task: { type: 'string', default: 'sst2' },
    hub: { type: 'string', default: '../shared/hub' },
    rounds: { type: 'string', default: '1000' },
    samples: { type: 'string', default: '16' },
    tokens: { type: 'string', default: '64' },
    rate: { type: 'string', default: '2e-3' },
    rank: { type: 'string', default: '8' },
    targets: { type: 'string', default: 'query,value' },
    layers: { type: 'string', default: '' },
    'rank-pattern': { type: 'string', default: '' },
    'alpha-pattern': { type: 'string', default: '' },
    rslora: { type: 'boolean', default: false },
    dropout: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    clip: { type: 'string', default: '0' },
    schedule: { type: 'string', default: 'linear' },
    betas: { type: 'string', default: '0.9,0.999' },
    epsilon: { type: 'string', default: '1e-8' },
    'lora-plus': { type: 'string', default: '1' },
    'class-weights': { type: 'string', default: '' },
    'label-smoothing': { type: 'string', default: '0' },
    every: { type: 'string', default: '100' },
  },
});
const [action, run = 'run'] = positionals;
const read = readAdapters({
  layers: option.layers,
  rankPattern: option['rank-pattern'],
  alphaPattern: option['alpha-pattern'],
  rslora: option.rslora,
});
if (!read.ok) throw new Error(Object.values(read.problems).join(' '));
const { adapters } = read;
/** On one machine the planner would rather leave a device out than let all three take part. */
const everybody: RoomPlanner = {
  plan: async (problem) => {
    const answer = await DEALT.plan(problem);
    if (!answer.feasible) return answer;
    const assignments = answer.plan.assignments.map(({ stage, ...part }) =>
      stage === undefined
        ? { ...part, microBatch: part.samples.count }
        : {
            ...part,
            microBatch: Math.ceil(part.samples.count / SPLIT_MICRO_BATCHES),
            stage: { ...stage, microBatches: SPLIT_MICRO_BATCHES },
          },
    );
    return { feasible: true, plan: { ...answer.plan, assignments } };
  },
  close: () => DEALT.close(),
};
const DEV_CHUNK = 64;
/** Of each process of a split room: roberta-mini's weights alone take 10.05 MB. */
const SPLIT_MEMORY_BYTES = 9.9e6;
const SPLIT_MICRO_BATCHES = 16;

const request = (origin: string, endpoint: string): HostRequest => ({
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: option.task, endpoint },
  lora: {
    rank: Number(option.rank),
    alpha: 2 * Number(option.rank),
    targets: LORA_TARGETS.filter((target) => option.targets.split(',').includes(target)),
    ...adapters,
  },
  training: {
    ...PLAIN_TRAINING,
    rounds: Number(option.rounds),
    samplesPerRound: Number(option.samples),
    maxTokens: Number(option.tokens),
    learningRate: Number(option.rate),
    weightDecay: 0.01,
    warmupFraction: 0.06,
    dropout: Number(option.dropout),
    evaluateEvery: Number(option.every),
    seed: Number(option.seed),
    schedule: SCHEDULES.find((one) => one === option.schedule) ?? 'linear',
    maxGradientNorm: Number(option.clip),
    beta1: Number(option.betas.split(',')[0]),
    beta2: Number(option.betas.split(',')[1]),
    epsilon: Number(option.epsilon),
    loraPlusRatio: Number(option['lora-plus']),
    classWeights: readClassWeights(option['class-weights']) ?? null,
    labelSmoothing: Number(option['label-smoothing']),
  },
  origin,
});

if (action === 'inputs') await writeInputs();
else if (action === 'alone') await train('alone', 0);
else if (action === 'together') await train('together', 2);
else if (action === 'split') await train('split', 2);
else if (action === 'same') await trainSame();
else throw new Error('Say what to do: inputs, alone, together, split or same.');

async function writeInputs(): Promise<void> {
  const host = new Host(openFileOrHttp);
  const files = new URL('../../', import.meta.url).href;
  const asked = request(files, new URL(`${option.hub}/`, `file://${process.cwd()}/`).href);
  const { shape, task, lora, training } = await host.open(asked);
  const batchTensors = (name: string, { ids, lengths, labels, tokens }: TokenBatch): NamedTensor[] => [
    { name: `${name}.ids`, shape: [lengths.length, tokens], values: ids },
    { name: `${name}.lengths`, shape: [lengths.length], values: lengths },
    { name: `${name}.labels`, shape: [labels.length], values: labels },
  ];
  const { values } = await host.parameters();
  const tensors: NamedTensor[] = [{ name: 'parameters', shape: [values.length], values }];
  for (let round = 1; round <= asked.training.rounds; round++)
    tensors.push(...batchTensors(`round.${round}`, await host.roundBatch(round)));
  for (let start = 0, i = 0; start < task.devExamples; start += DEV_CHUNK, i++)
    tensors.push(
      ...batchTensors(`dev.${i}`, await host.devBatch(start, Math.min(DEV_CHUNK, task.devExamples - start))),
    );
  const facts = { training, lora, shape, kind: task.kind, labelCount: task.labelCount, metric: task.metric };
  writeFileSync(`${run}.safetensors`, encodeSafetensors(tensors, { run: JSON.stringify(facts) }));
}

function startHub(): Promise<RunningServer> {
  return startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: null,
    modelsFolder: fileURLToPath(new URL('../../models', import.meta.url)),
    hubFolder: resolve(option.hub),
    iceServers: [],
    log: () => undefined,
    planner: everybody,
  });
}

async function train(name: string, devices: number): Promise<void> {
  const server = await startHub();
  const origin = `http://127.0.0.1:${server.port}`;
  const isSplit = name === 'split';
  const memory = isSplit ? { memoryBytes: SPLIT_MEMORY_BYTES } : {};
  let shown = 0;
  let settings: SessionSettings | null = null;
  const result = await runSession({
    origin,
    session: {
      kind: 'fresh',
      request: request(origin, `${origin}/hub`),
      // Teams: half of the samples for the host, the blocks of the other half for the two others.
      policy: isSplit ? 'split' : 'teams',
      patience: 0,
    },
    ...memory,
    exports: null,
    checkpointFile: null,
    logFile: `${run}.${name}.log`,
    gatherMs: 300_000,
    devices: Array.from({ length: devices }, (_, i) => ({ name: `device-${i + 1}`, slowdown: 1, ...memory })),
    cacheFolder: null,
    door: { door: 'link', cap: null, admitAll: false },
    onDoor: () => undefined,
    onLink: () => undefined,
    onView: ({ scores, room }) => {
      settings = room?.settings ?? settings;
      for (const score of scores.slice(shown))
        console.log(`round ${score.round}: ${score.metric} ${score.value.toFixed(4)}, loss ${score.loss.toFixed(4)}`);
      shown = scores.length;
    },
    signal: new AbortController().signal,
  });
  await server.close();
  const roundsWithDevices: Record<number, number> = {};
  for (const { devices: parts } of result.rounds) {
    const count = new Set(parts.map(({ device }) => device)).size;
    roundsWithDevices[count] = (roundsWithDevices[count] ?? 0) + 1;
  }
  const losses = result.rounds.map(({ loss }) => loss);
  const scores = result.scores.map(({ round, metric, value, loss }) => ({ round, metric, value, loss }));
  const seconds = result.seconds.training + result.seconds.lastScore;
  writeFileSync(`${run}.${name}.json`, JSON.stringify({ losses, scores, seconds, roundsWithDevices, settings }));
  console.log(
    `${losses.length} rounds in ${seconds.toFixed(0)} s; rounds by devices: ${JSON.stringify(roundsWithDevices)}`,
  );
  process.exit(0);
}

/** One device by the settings of RUN.split.json, and the micro-batches of its stages: its losses to the bit. */
async function trainSame(): Promise<void> {
  const split: { losses: number[]; settings: SessionSettings } = JSON.parse(readFileSync(`${run}.split.json`, 'utf8'));
  const server = await startHub();
  const origin = `http://127.0.0.1:${server.port}`;
  const startMs = performance.now();
  const task = { id: option.task, endpoint: `${origin}/hub` };
  const samples = { start: 0, count: split.settings.training.samplesPerRound };
  const shares = [{ samples, microBatches: SPLIT_MICRO_BATCHES }];
  const { losses } = await trainAlone(split.settings, origin, { task, shares });
  const seconds = (performance.now() - startMs) / 1000;
  const equal = losses.filter((loss, i) => loss === split.losses[i]).length;
  writeFileSync(`${run}.same.json`, JSON.stringify({ losses, scores: [], seconds }));
  console.log(`${equal} of ${losses.length} losses are those of the split room, to the bit; ${seconds.toFixed(0)} s`);
  process.exit(0);
}
