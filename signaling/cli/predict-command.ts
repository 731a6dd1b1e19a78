import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import { readAdapter } from '../../worker/adapter/import-adapter.ts';
import { readTaskFile, TASK_FILE, type TaskFile } from '../../worker/adapter/task-file.ts';
import { tokenBatch } from '../../worker/data/batches.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import type { OpenFile } from '../../worker/files/open-file.ts';
import { evaluateBatch } from '../../worker/learn/trainer.ts';
import { maxTokens } from '../../worker/model/config.ts';
import { type ModelFiles, modelFiles } from '../../worker/model/open-model.ts';
import { defaultCacheFolder, fileChunkStore } from '../../worker/node/file-chunk-store.ts';
import { fileSource, openFileOrHttp } from '../../worker/node/file-source.ts';
import { FilePrediction } from '../../worker/score/file-prediction.ts';
import { previewTable } from '../../worker/table/columns/preview.ts';
import { readTable } from '../../worker/table/read-table.ts';
import type { Table } from '../../worker/table/table.ts';
import { createTokenizer } from '../../worker/tokenizer/tokenizer.ts';
import { MAX_TOKENS_PER_SAMPLE } from '../protocol/limits.ts';
import { ModelSourceSchema } from '../protocol/settings.ts';
import { visible } from '../protocol/text/visible.ts';
import { ROOT_FOLDER } from '../server/addresses.ts';
import { CommandError, cacheFolder, number, readArguments, wholeNumber } from './command-line.ts';
import { readTableBytes } from './own-table.ts';

/** As Hugging Face's own libraries are told of another one. */
const DEFAULT_HUB = process.env.HF_ENDPOINT || 'https://huggingface.co';
const EMBEDDED_MODEL = 'roberta-mini';
/** Samples that go through the model together. */
const MICRO_BATCH = 16;
/** Of an adapter that does not say what it was trained with. */
const OTHER_TOKENS = 128;
const MAX_ADAPTER_FILES = 50;

const HELP = `Usage: tabloom predict --adapter FOLDER --file FILE --out FILE.csv [options]

Answers every row of a table with an adapter: a CSV file with the label and each class's probability, a line for each row, in their order.

  --adapter FOLDER  what demo or the page exported, or any LoRA adapter of PEFT for a RoBERTa with a classification head
  --file FILE       CSV, TSV, JSON lines or Parquet
  --out FILE        the file of answers
  --text COLUMN     its column with the text (found by its name and content)
  --pair COLUMN     its column with a second text, for a task of pairs
  --model M         the base model: ${EMBEDDED_MODEL}, a hub repository or a folder (as the adapter says)
  --revision R      of the hub's repository (as the adapter says, or main)
  --hub URL|FOLDER  Hugging Face endpoint, or a folder with the hub's layout (${DEFAULT_HUB})
  --cache FOLDER    where models of a hub are kept for the next time, or none (${defaultCacheFolder()})
  --tokens N        most tokens of a sample (as the adapter was trained)
  --threshold X     of several labels, the probability from which on one is given (as the adapter was trained)
  --json            print { rows, answered, out } as JSON
  --help            show this
`;

const OPTIONS = {
  adapter: { type: 'string' },
  file: { type: 'string' },
  out: { type: 'string' },
  text: { type: 'string' },
  pair: { type: 'string' },
  model: { type: 'string' },
  revision: { type: 'string' },
  hub: { type: 'string', default: DEFAULT_HUB },
  cache: { type: 'string', default: defaultCacheFolder() },
  tokens: { type: 'string' },
  threshold: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const;

export async function predictCommand(argv: string[]): Promise<number> {
  const { values } = readArguments(argv, OPTIONS, { min: 0, max: 0 });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { adapter: folder, file, out } = values;
  if (folder === undefined || file === undefined || out === undefined)
    throw new CommandError('predict needs --adapter FOLDER, --file FILE and --out FILE.csv.');
  if (resolve(out) === resolve(file)) throw new CommandError('--out would overwrite --file; name another file.');
  try {
    const table = await readTable(basename(file), await readTableBytes(file), 1);
    await refuseFolder(out);
    const columns = { text: values.text ?? guessedText(table), pair: values.pair ?? null };
    const prediction = await openAdapter(folder, values);
    const answering = new FilePrediction(table, columns, prediction.answering);
    const counted = await writeAnswers(out, answering, prediction.logits);
    await prediction.dispose();
    const left = counted.rows - counted.answered;
    if (values.json) process.stdout.write(`${JSON.stringify({ ...counted, out })}\n`);
    else
      process.stdout.write(
        `${counted.rows} rows, ${counted.answered} answered${left === 0 ? '' : `, ${left} left out (the last column says why)`}: ${out}\n`,
      );
    return 0;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}

function guessedText(table: Table): string {
  const { guess } = previewTable(table);
  // Nothing here is a label.
  const text = guess.text || guess.label;
  if (text === '') throw new CommandError(`Say with --text which column of ${table.name} holds the text.`);
  return text;
}

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>['values'];

/** The adapter on its base model, in this process, on WASM. */
async function openAdapter(folder: string, values: Values) {
  const files = await adapterFiles(folder);
  const stated = files.find(({ name }) => name === TASK_FILE);
  const { model, revision } = namedBase(values, statedBase(files));
  const base = await baseModel(model, revision, values);
  const shape = await base.shape();
  const adapter = await readAdapter(files, shape, { alpha: 16, model: null, dropout: null });
  const { labelCount, lora } = adapter;
  const said: TaskFile = stated
    ? readTaskFile(stated.bytes)
    : {
        kind: labelCount === 1 ? 'regression' : 'classification',
        classNames: labelCount === 1 ? [] : Array.from({ length: labelCount }, (_, i) => `LABEL_${i}`),
        threshold: 0.5,
        maxTokens: OTHER_TOKENS,
      };
  const outputs = said.kind === 'regression' ? 1 : said.classNames.length;
  if (outputs !== labelCount)
    throw new CommandError(`${TASK_FILE} tells of ${outputs} outputs; the adapter has ${labelCount}. Export it again.`);
  const most = Math.min(MAX_TOKENS_PER_SAMPLE, maxTokens(shape));
  const limit =
    values.tokens === undefined ? Math.min(most, said.maxTokens) : wholeNumber('tokens', values.tokens, 8, most);
  const threshold = values.threshold === undefined ? said.threshold : number('threshold', values.threshold, 0.01, 0.99);
  const tokenizer = createTokenizer(await base.json('tokenizer.json'), shape.vocabSize);
  const engine = await createOnnxEngine(
    { shape, lora, labelCount, weights: await base.weights(), weightStorage: 'f32', withDropout: false },
    'wasm',
  );
  await engine.setParameters(adapter.values);
  for (const sentence of [tokenizer.about, ...adapter.notices]) process.stderr.write(`${visible(sentence)}\n`);
  return {
    answering: {
      kind: said.kind,
      labelCount,
      classNames: said.classNames,
      threshold,
      tokens: (texts: readonly { readonly text: string; readonly pair: string | null }[]) =>
        tokenBatch(
          texts.map((one) => ({ ...one, label: 0 })),
          texts.map(({ text, pair }) => tokenizer.encode(text, pair, limit)),
          shape.padTokenId,
        ),
    },
    logits: (batch: Parameters<typeof evaluateBatch>[1]) => evaluateBatch(engine, batch, MICRO_BATCH, async () => {}),
    dispose: () => engine.dispose(),
  };
}

async function adapterFiles(folder: string) {
  const names = await readdir(folder).catch(() => {
    throw new CommandError(`There is no folder "${folder}"; --adapter names the folder with adapter_config.json.`);
  });
  const wanted = names.filter((name) => name === TASK_FILE || /^adapter_.*\.(json|safetensors|bin)$/.test(name));
  return Promise.all(
    wanted.slice(0, MAX_ADAPTER_FILES).map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })),
  );
}

const BaseSchema = v.object({
  base_model_name_or_path: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
  revision: v.optional(v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(200)))),
});

/** The model that an adapter says it is for; null where it says none. @throws CommandError where what it says is no JSON. */
function statedBase(files: readonly { readonly name: string; readonly bytes: Uint8Array }[]) {
  const config = files.find(({ name }) => name === 'adapter_config.json');
  if (config === undefined) return null;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(config.bytes));
  } catch {
    throw new CommandError('adapter_config.json is not JSON; save or fetch the adapter again.');
  }
  const read = v.safeParse(BaseSchema, json);
  return read.success ? read.output : null;
}

function namedBase(values: Values, stated: ReturnType<typeof statedBase>) {
  const model = values.model ?? stated?.base_model_name_or_path;
  if (model === undefined)
    throw new CommandError('The adapter does not say what model it is for; name it with --model.');
  const isStated = stated?.base_model_name_or_path === model;
  return { model, revision: values.revision ?? (isStated ? stated.revision : null) ?? 'main' };
}

async function baseModel(model: string, revision: string, { hub, cache }: Values): Promise<ModelFiles> {
  const embedded = { kind: 'embedded', id: EMBEDDED_MODEL } as const;
  if (existsSync(join(model, 'config.json'))) {
    // Whatever the address would be, the file lies in the folder.
    const open: OpenFile = (url) => fileSource(join(model, basename(new URL(url).pathname)));
    return modelFiles(open, null, embedded, pathToFileURL(`${resolve(model)}/`).href);
  }
  if (model === EMBEDDED_MODEL)
    return modelFiles(openFileOrHttp, null, embedded, pathToFileURL(`${ROOT_FOLDER}/`).href);
  const isWeb = /^https?:\/\//.test(hub);
  const source = v.safeParse(ModelSourceSchema, { kind: 'hub', id: model, endpoint: DEFAULT_HUB, revision });
  if (!source.success || source.output.kind !== 'hub')
    throw new CommandError(
      `"${model}" is neither a folder with a model's files nor a repository; name one with --model.`,
    );
  const endpoint = isWeb ? hub.replace(/\/+$/, '') : pathToFileURL(resolve(hub)).href;
  const kept = isWeb ? cacheFolder(cache) : null;
  const store = kept === null ? null : fileChunkStore(kept);
  return modelFiles(openFileOrHttp, store, { ...source.output, endpoint }, endpoint);
}

/** A batch at a time, and no faster than the file is written. */
async function writeAnswers(
  out: string,
  file: FilePrediction,
  logits: (batch: Parameters<typeof evaluateBatch>[1]) => Promise<Float32Array>,
): Promise<{ rows: number; answered: number }> {
  await mkdir(dirname(resolve(out)), { recursive: true });
  // Beside it, so that nobody takes a part of the answers for all of them.
  const beside = `${out}.part`;
  const writer = Writable.toWeb(createWriteStream(beside)).getWriter();
  let [rows, answered] = [0, 0];
  try {
    await writer.write(file.header());
    for (let next = file.next(); next !== null; next = file.next()) {
      const values = next.batch === null ? new Float32Array(0) : await logits(next.batch);
      await writer.write(file.lines(values));
      rows += next.rows;
      answered += next.batch?.lengths.length ?? 0;
    }
    await writer.close();
    await rename(beside, out);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  return { rows, answered };
}

async function refuseFolder(out: string): Promise<void> {
  const found = await stat(out).catch(() => null);
  if (found?.isDirectory()) throw new CommandError(`${out} is a folder; --out names the file of answers.`);
}
