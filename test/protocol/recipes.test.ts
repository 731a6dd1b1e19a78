import * as v from 'valibot';
import { expect, test } from 'vitest';
import { LoraSettingsSchema, TrainingSettingsSchema } from '../../signaling/protocol/settings.ts';
import { recipeFor } from '../../signaling/protocol/words/recipes.ts';
import { TASKS } from '../../worker/data/tasks.ts';

const tasks = TASKS.map(({ id }) => id);

test.each(['mini', 'base'] as const)('what %s is trained with by default is what a session accepts', (model) => {
  for (const task of [...tasks, 'own']) {
    const { lora, training } = recipeFor(task, model);
    expect(v.is(LoraSettingsSchema, lora)).toBe(true);
    expect(v.is(TrainingSettingsSchema, { ...training, evaluateEvery: 0, seed: 1 })).toBe(true);
  }
});

test('the embedded model takes larger steps than a large one, and its 128 positions hold every sample', () => {
  for (const task of [...tasks, 'own']) {
    const [mini, base] = [recipeFor(task, 'mini').training, recipeFor(task, 'base').training];
    expect(mini.learningRate).toBeGreaterThan(base.learningRate);
    expect(mini.maxTokens).toBeLessThanOrEqual(128);
  }
});
