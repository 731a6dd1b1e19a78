import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { defaultCacheFolder } from '../worker/model/file-chunk-store.ts';
import type { HostRequest } from '../worker/rpc.ts';
import { localAddress } from './addresses.ts';
import { CommandError, cacheFolder, number, oneOf, readArguments, wholeNumber } from './command-line.ts';
import { type DemoResult, runSession } from './demo-session.ts';
import { DemoTerminal } from './demo-terminal.ts';
import { duration } from './demo-text.ts';
import { MAX_LORA_RANK, MAX_ROUNDS, MAX_SAMPLES_PER_ROUND, MAX_TOKENS_PER_SAMPLE } from './protocol/limits.ts';
import { recipeFor } from './protocol/recipes.ts';
import { POLICIES, WEIGHT_STORAGES } from './protocol/settings.ts';
import { openServer } from './serve-command.ts';

const EMBEDDED_MODEL = 'roberta-mini';
/** As Hugging Face's own libraries are told of another one. */
const DEFAULT_HUB = process.env.HF_ENDPOINT || 'https://huggingface.co';
/** How much slower than this machine each demo device pretends to be, in turn. */
const SLOWDOWNS = [1, 1.7, 3];
const NAMES = ['laptop', 'tablet', 'phone', 'desktop', 'old-phone', 'netbook'];

const HELP = `Usage: tabloom demo [options]

A whole session on this machine: server, host and headless devices of different speeds fine-tune together over WebRTC.

  --devices N        headless devices beside the host (3)
  --rounds N         optimiser steps (the task's recipe)
  --task T           grammar (embedded sentiment), or a GLUE task such as sst2 from a hub (grammar)
  --hub URL|FOLDER   Hugging Face endpoint, or a folder with the hub's layout (${DEFAULT_HUB})
  --model M          roberta-mini (embedded), or a hub repository such as FacebookAI/roberta-base (roberta-mini)
  --weights W        how devices keep the frozen weights: ${WEIGHT_STORAGES.join(', ')} (f32)
  --cache FOLDER     where models of a hub are kept for the next time, or none
                     (${defaultCacheFolder()})
  --policy P         ${POLICIES.join(', ')} (auto)
  --samples N        samples a round (the task's recipe)
  --tokens N         most tokens of a sample (the task's recipe)
  --learning-rate X  peak learning rate (the task's recipe)
  --rank N           rank of the adapters (8)
  --dropout X        dropout probability (the task's recipe)
  --seed N           seed of everything that is drawn (1)
  --out FOLDER       where the adapter goes (out/demo-adapter)
  --port N           port of the server (8787; 0 takes a free one)
  --host ADDRESS     interface of the server (127.0.0.1)
  --compare-single   afterwards train on one device with the same seed and compare the losses
  --json             print the result as JSON; progress goes to the standard error
  --help             show this
`;

export async function demoCommand(argv: string[]): Promise<number> {
  const { values } = readArguments(
    argv,
    {
      devices: { type: 'string', default: '3' },
      rounds: { type: 'string' },
      task: { type: 'string', default: 'grammar' },
      hub: { type: 'string', default: DEFAULT_HUB },
      model: { type: 'string', default: EMBEDDED_MODEL },
      weights: { type: 'string', default: 'f32' },
      cache: { type: 'string', default: defaultCacheFolder() },
      policy: { type: 'string', default: 'auto' },
      samples: { type: 'string' },
      tokens: { type: 'string' },
      'learning-rate': { type: 'string' },
      rank: { type: 'string' },
      dropout: { type: 'string' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string', default: 'out/demo-adapter' },
      port: { type: 'string', default: '8787' },
      host: { type: 'string', default: '127.0.0.1' },
      'compare-single': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 0, max: 0 },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const deviceCount = wholeNumber('devices', values.devices, 0, 32);
  const policy = oneOf('policy', values.policy, POLICIES);
  // A folder needs no copy beside it.
  const cache = /^https?:\/\//.test(values.hub) ? cacheFolder(values.cache) : null;
  const folder = /^https?:\/\//.test(values.hub) ? null : values.hub;
  const recipe = recipeFor(values.task, values.model === EMBEDDED_MODEL ? 'mini' : 'base');
  const whole = (name: 'rounds' | 'samples' | 'tokens' | 'rank', otherwise: number, min: number, max: number) =>
    values[name] === undefined ? otherwise : wholeNumber(name, values[name], min, max);
  const fraction = (name: 'learning-rate' | 'dropout', otherwise: number, min: number, max: number) =>
    values[name] === undefined ? otherwise : number(name, values[name], min, max);
  const lora = { ...recipe.lora, rank: whole('rank', recipe.lora.rank, 1, MAX_LORA_RANK) };
  const training = {
    ...recipe.training,
    rounds: whole('rounds', recipe.training.rounds, 1, MAX_ROUNDS),
    samplesPerRound: whole('samples', recipe.training.samplesPerRound, 1, MAX_SAMPLES_PER_ROUND),
    maxTokens: whole('tokens', recipe.training.maxTokens, 8, MAX_TOKENS_PER_SAMPLE),
    learningRate: fraction('learning-rate', recipe.training.learningRate, 1e-8, 1),
    dropout: fraction('dropout', recipe.training.dropout, 0, 0.9),
    evaluateEvery: 0,
    seed: wholeNumber('seed', values.seed, 0, 2 ** 32 - 1),
  };
  const port = wholeNumber('port', values.port, 0, 65535);
  const server = await openServer({ port, host: values.host, hub: folder, ice: [], log: () => undefined });
  const origin = localAddress(values.host, server.port);
  const endpoint = folder === null ? values.hub.replace(/\/+$/, '') : `${origin}/hub`;
  const request: HostRequest = {
    model:
      values.model === EMBEDDED_MODEL
        ? { kind: 'embedded', id: EMBEDDED_MODEL }
        : { kind: 'hub', id: values.model, endpoint, revision: 'main' },
    weights: oneOf('weights', values.weights, WEIGHT_STORAGES),
    task: { id: values.task, endpoint },
    lora,
    training,
    origin,
  };
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const terminal = new DemoTerminal(values.json ? process.stderr : process.stdout);
  try {
    terminal.line(`\n  The page is at ${origin} while this runs.`);
    const startMs = performance.now();
    const result = await runSession({
      origin,
      request,
      policy,
      cacheFolder: cache,
      devices: Array.from({ length: deviceCount }, (_, i) => ({
        name: NAMES[i % NAMES.length] + (i < NAMES.length ? '' : `-${Math.floor(i / NAMES.length) + 1}`),
        slowdown: SLOWDOWNS[i % SLOWDOWNS.length],
      })),
      onLink: (link) => terminal.line(`  A tab can join or watch at ${link}\n`),
      onView: (view) => terminal.show(view),
      signal: stop.signal,
    });
    const seconds = (performance.now() - startMs) / 1000;
    const single = values['compare-single']
      ? await compareSingle(result, origin, request, stop.signal, terminal)
      : null;
    const folderOut = values.out;
    await mkdir(folderOut, { recursive: true });
    for (const { name, bytes } of result.files) await writeFile(join(folderOut, name), bytes);
    report(terminal, result, seconds, folderOut, single);
    if (values.json) process.stdout.write(`${JSON.stringify(summary(result, seconds, folderOut, single))}\n`);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) {
      terminal.line('\n  Stopped.');
      return 130;
    }
    throw new CommandError(error instanceof Error ? error.message : String(error));
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
    await server.close();
  }
}

/** Trains once more on the host alone with the same seed; the largest |a - b| / |b| of the rounds' losses. */
async function compareSingle(
  cooperative: DemoResult,
  origin: string,
  request: HostRequest,
  signal: AbortSignal,
  terminal: DemoTerminal,
): Promise<number> {
  terminal.line('\n  The same on one device, to compare:');
  const alone = await runSession({
    origin,
    request,
    policy: 'offload',
    devices: [],
    cacheFolder: null,
    onLink: () => undefined,
    onView: (view) => terminal.show(view),
    signal,
  });
  const differences = cooperative.rounds.map(({ loss }, i) => {
    const other = alone.rounds[i].loss;
    return Math.abs(loss - other) / Math.max(Math.abs(other), Number.MIN_VALUE);
  });
  return Math.max(...differences);
}

function summary(result: DemoResult, seconds: number, folder: string, single: number | null) {
  const [before, after] = [result.scores[0], result.scores[result.scores.length - 1]];
  return {
    seconds,
    trainingSeconds: result.trainingSeconds,
    metric: after.metric,
    before: before.value,
    after: after.value,
    losses: result.rounds.map((r) => r.loss),
    reassigned: result.rounds.reduce((sum, r) => sum + r.reassigned, 0),
    uploadBits: result.rounds.reduce((sum, r) => sum + r.devices.reduce((s, d) => s + d.uploadBits, 0), 0),
    adapter: folder,
    ...(single === null ? {} : { largestRelativeLossDifference: single }),
  };
}

function report(
  terminal: DemoTerminal,
  result: DemoResult,
  seconds: number,
  folder: string,
  single: number | null,
): void {
  const { before, after, metric } = summary(result, seconds, folder, single);
  const shown = (value: number): string =>
    metric === 'accuracy' || metric === 'f1' ? `${(100 * value).toFixed(1)} %` : value.toFixed(3);
  terminal.line(
    `\n  Dev ${metric} ${shown(before)} -> ${shown(after)} in ${duration(seconds)} (training ${duration(result.trainingSeconds)}).`,
  );
  if (single !== null)
    terminal.line(`  Largest relative difference of loss from one device: ${single.toExponential(2)}.`);
  terminal.line(`  The adapter is in ${relative(process.cwd(), folder) || folder}.\n`);
}
