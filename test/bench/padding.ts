/**
 * How many tokens are computed for each real one: as 0.1.0 padded (32 or a round's samples as they come, to the longest of them, in steps
 * of 8), and as it is now (`worker/learn/micro-batches.ts`, rounds dealt by `worker/data/dealing.ts` to 1, 2, 3, 4 and 8 devices):
 *
 *   npx tsx test/bench/padding.ts [HUB]
 *
 * HUB is a folder in the hub's URL layout, ../shared/hub unless given; rounds and lengths are those of the recipes of roberta-base's size.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { recipeFor } from '../../signaling/protocol/words/recipes.ts';
import { createSampler } from '../../worker/data/batches.ts';
import { dealByLength } from '../../worker/data/dealing.ts';
import { loadTask } from '../../worker/data/load-task.ts';
import { TokenRows } from '../../worker/data/token-rows.ts';
import { lengthGroups, paddedTokens } from '../../worker/learn/micro-batches.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import type { Tokenizer } from '../../worker/tokenizer/tokenizer.ts';
import { createTokenizer } from '../../worker/tokenizer/tokenizer.ts';

export const GLUE_TASKS = ['cola', 'sst2', 'mrpc', 'stsb', 'qqp', 'mnli', 'qnli', 'rte', 'wnli'] as const;
export const DEVICE_COUNTS = [1, 2, 3, 4, 8] as const;

const ROUNDS = 100;
/** Dev examples that are looked at. */
const MOST_DEV = 2000;
const CHUNK = 32;
const OLD_STEP = 8;

export interface Padding {
  readonly realTokens: number;
  /** Computed over real. */
  readonly before: number;
  readonly now: readonly number[];
}

/** Of evaluations, in order of length, and of rounds. */
export async function measurePadding(
  task: string,
  endpoint: string,
  tokenizer: Tokenizer,
): Promise<{ readonly dev: Padding; readonly train: Padding }> {
  const { training } = recipeFor(task, 'base');
  const { examples } = await loadTask(openFileOrHttp, { id: task, endpoint }, () => {});
  const rows = new TokenRows(tokenizer, training.maxTokens);
  const dev = examples.dev.slice(0, MOST_DEV).map((example) => rows.of(example).length);
  const draw = createSampler(examples.train.length, training.samplesPerRound, 1);
  const rounds = Array.from({ length: ROUNDS }, (_, i) =>
    draw(i + 1).map((index) => rows.of(examples.train[index]!).length),
  );
  return {
    dev: padding([dev], (lengths) => [paddedTokens(lengths, lengthGroups(lengths, CHUNK))]),
    train: padding(rounds, (lengths) => DEVICE_COUNTS.map((devices) => roundTokens(lengths, devices))),
  };
}

/** Computed tokens of a round that so many devices share evenly. */
function roundTokens(lengths: readonly number[], devices: number): number {
  const start = (device: number) => Math.floor((device * lengths.length) / devices);
  const ranges = Array.from({ length: devices }, (_, i) => ({ start: start(i), count: start(i + 1) - start(i) }));
  const dealt = dealByLength(lengths, ranges).map((row) => lengths[row]!);
  return sum(
    ranges.map((range) => {
      const own = dealt.slice(range.start, range.start + range.count);
      return paddedTokens(own, lengthGroups(own, own.length));
    }),
  );
}

function padding(batches: readonly (readonly number[])[], now: (lengths: readonly number[]) => readonly number[]) {
  const real = sum(batches.map(sum));
  const computed = batches.map(now);
  return {
    realTokens: real / sum(batches.map(({ length }) => length)),
    before: sum(batches.map(asBefore)) / real,
    now: computed[0]!.map((_, i) => sum(computed.map((tokens) => tokens[i]!)) / real),
  };
}

function asBefore(lengths: readonly number[]): number {
  let tokens = 0;
  for (let from = 0; from < lengths.length; from += CHUNK) {
    const chunk = lengths.slice(from, from + CHUNK);
    tokens += chunk.length * Math.ceil(Math.max(...chunk) / OLD_STEP) * OLD_STEP;
  }
  return tokens;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Roberta-base's, from a folder in the hub's layout. */
export async function robertaTokenizer(hub: URL): Promise<Tokenizer> {
  const source = await openFileOrHttp(new URL('FacebookAI/roberta-base/resolve/main/tokenizer.json', hub).href);
  const text = new TextDecoder().decode(await source.read(0, source.size));
  return createTokenizer(JSON.parse(text), 50_265);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const hub = pathToFileURL(`${resolve(process.argv[2] ?? '../shared/hub')}/`);
  const tokenizer = await robertaTokenizer(hub);
  const cells = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(' / ');
  console.log(
    `| task | dev tokens | padded before | now | train tokens | before | now, ${DEVICE_COUNTS.join(' / ')} devices |`,
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const task of GLUE_TASKS) {
    const { dev, train } = await measurePadding(task, hub.href, tokenizer);
    const of = ({ realTokens, before, now }: Padding) => [realTokens.toFixed(1), before.toFixed(2), cells(now)];
    console.log(`| ${[task, ...of(dev), ...of(train)].join(' | ')} |`);
  }
}
