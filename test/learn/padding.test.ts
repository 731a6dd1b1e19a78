import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createTokenizer } from '../../worker/tokenizer/tokenizer.ts';
import { GLUE_TASKS, measurePadding, type Padding, robertaTokenizer } from '../bench/padding.ts';
import { needs, REAL_GLUE, REAL_HUB } from '../needs.ts';

/** Computed tokens over real ones. */
const MOST_IN_EVALUATION = 1.1;
const MOST_IN_TRAINING = 1.25;

function expectLittle({ dev, train }: { readonly dev: Padding; readonly train: Padding }): void {
  expect(Math.max(...dev.now)).toBeLessThanOrEqual(MOST_IN_EVALUATION);
  expect(Math.max(...train.now)).toBeLessThanOrEqual(MOST_IN_TRAINING);
  for (const ratio of [...dev.now, ...train.now]) expect(ratio).toBeGreaterThanOrEqual(1);
}

test('little of what is computed is padding: the embedded task', async () => {
  const file = new URL('../../models/roberta-mini/tokenizer.json', import.meta.url);
  const tokenizer = createTokenizer(JSON.parse(readFileSync(file, 'utf8')), 50_265);
  expectLittle(await measurePadding('grammar', '', tokenizer));
});

describe("little of what is computed is padding: GLUE's own data", needs(REAL_GLUE), () => {
  test.each(GLUE_TASKS)('%s', async (task) => {
    expectLittle(await measurePadding(task, REAL_HUB.href, await robertaTokenizer(REAL_HUB)));
  });
});
