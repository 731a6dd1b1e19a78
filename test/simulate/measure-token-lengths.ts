/**
 * Measures how long GLUE's training sentences are in tokens, for signaling/simulate/glue-lengths.ts:
 *
 *   npx tsx test/simulate/measure-token-lengths.ts HUB [TASK ...]
 *
 * HUB is a folder in the hub's URL layout, with FacebookAI/roberta-base/resolve/main/tokenizer.json and
 * datasets/nyu-mll/glue/resolve/main/TASK/train-00000-of-00001.parquet. Lengths include <s>, </s> and the </s></s> between sentences.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { GlueLength } from '../../signaling/simulate/glue-lengths.ts';

const MAX_TOKENS = 128;

const SENTENCES: Readonly<Record<string, readonly string[]>> = {
  cola: ['sentence'],
  sst2: ['sentence'],
  mrpc: ['sentence1', 'sentence2'],
  stsb: ['sentence1', 'sentence2'],
  qqp: ['question1', 'question2'],
  mnli: ['premise', 'hypothesis'],
  qnli: ['question', 'sentence'],
  rte: ['sentence1', 'sentence2'],
  wnli: ['sentence1', 'sentence2'],
};
const BATCH = 32;

/** Mean tokens of a sample, and mean of the longest in consecutive batches of 32 (what padding makes of them), both cut at 128. */
export async function measureTask(hub: string, task: string): Promise<GlueLength> {
  const tokenizerFile = join(hub, 'FacebookAI/roberta-base/resolve/main/tokenizer.json');
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(tokenizerFile, 'utf8')), {});
  const file = join(hub, 'datasets/nyu-mll/glue/resolve/main', task, 'train-00000-of-00001.parquet');
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file), compressors });
  const lengths = rows.map((row) => {
    const sentences = SENTENCES[task]!.map((column) => String(row[column]));
    const words = sentences.map((text) => tokenizer.encode(text, { add_special_tokens: false }).ids.length);
    const special = 2 * words.length;
    return Math.min(MAX_TOKENS, words.reduce((a, b) => a + b, 0) + special);
  });
  let longest = 0;
  let batches = 0;
  for (let start = 0; start + BATCH <= lengths.length; start += BATCH, batches += 1)
    longest += Math.max(...lengths.slice(start, start + BATCH));
  const mean = lengths.reduce((a, b) => a + b, 0) / lengths.length;
  return {
    examples: lengths.length,
    meanTokens: Math.round(mean * 10) / 10,
    meanLongestOf32: Math.round((longest / batches) * 10) / 10,
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [hub, ...chosen] = process.argv.slice(2);
  if (hub === undefined) throw new Error('Name the folder in the hub layout as the first argument.');
  for (const task of chosen.length > 0 ? chosen : Object.keys(SENTENCES))
    console.log(task, JSON.stringify(await measureTask(hub, task)));
}
