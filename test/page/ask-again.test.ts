import { expect, it } from 'vitest';
import { againInMs } from '../../web/page/take/ask-again.ts';
import { textNames } from '../../web/page/take/try-it-words.ts';
import { examples } from '../../web/words/take/examples.ts';

it('asks again once a round has changed the model, five seconds after it was asked', () => {
  const answered = { round: 7, askedMs: 1000 };
  expect(againInMs(answered, 7, 60_000)).toBeNull();
  expect(againInMs(answered, 6, 60_000)).toBeNull();
  expect(againInMs(answered, 8, 1000)).toBe(5000);
  expect(againInMs(answered, 8, 4500)).toBe(1500);
  expect(againInMs(answered, 30, 6000)).toBe(0);
  expect(againInMs(answered, 30, 90_000)).toBe(0);
});

it('has examples for every task with as many texts as the task has fields', () => {
  const tasks = Object.entries(examples);
  expect(tasks.map(([id]) => id)).toHaveLength(11);
  for (const [id, texts] of tasks) {
    expect(texts.length).toBeGreaterThan(1);
    for (const one of texts) expect([id, one.length]).toEqual([id, textNames({ id }, false).length]);
  }
});
