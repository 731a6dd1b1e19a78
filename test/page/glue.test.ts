import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GLUE_LENGTHS } from '../../signaling/simulate/glue-lengths.ts';
import { GLUE_FACTS, glueFactsOf } from '../../web/page/glue/glue-facts.ts';
import { glueLines } from '../../web/page/glue/glue-words.ts';
import { MEASURED_ON_MINI } from '../../web/page/glue/mini-scores.ts';
import { TASK_CHOICES } from '../../web/page/parts/choices.ts';
import { findTask } from '../../worker/data/tasks.ts';

describe('GLUE’s nine', () => {
  it('are the hub’s tasks of the form, MNLI once', () => {
    const offered = TASK_CHOICES.filter(({ from }) => from === 'hub').map(({ id }) => id);
    expect(GLUE_FACTS.map(({ id }) => id).toSorted()).toEqual(
      offered.filter((id) => id !== 'mnli-mismatched').toSorted(),
    );
    expect(GLUE_FACTS).toHaveLength(9);
    for (const id of offered) expect(glueFactsOf(id)).not.toBeNull();
    expect(glueFactsOf('grammar')).toBeNull();
  });

  it('have as many texts in their example as the task, and an answer that it knows', () => {
    for (const { id, example } of GLUE_FACTS) {
      const { source, classNames, labelCount } = findTask(id);
      expect(example.texts).toHaveLength(source.kind === 'glue' && source.pairColumn !== null ? 2 : 1);
      if (labelCount > 1) expect(classNames).toContain(example.answer);
      else expect(Number(example.answer)).toBeGreaterThan(0);
    }
  });

  it('have the lengths and small sizes that were counted', () => {
    for (const { id, tokens, trainExamples } of GLUE_FACTS) {
      const counted = GLUE_LENGTHS[id as keyof typeof GLUE_LENGTHS];
      expect(tokens).toBe(counted.meanLongestOf32);
      // Of the large ones only the first rows were counted.
      if (counted.examples !== 8999) expect(trainExamples).toBe(counted.examples);
    }
  });

  it('have the scores of the LoRA paper’s table 2', () => {
    expect(Object.fromEntries(GLUE_FACTS.map(({ id, published }) => [id, published?.score ?? null]))).toEqual({
      ...{ mnli: 87.5, sst2: 95.1, mrpc: 89.7, cola: 63.4, qnli: 93.3, qqp: 90.8, rte: 86.6, stsb: 91.5, wnli: null },
    });
  });

  it('say of roberta-mini what docs/learning.md measured, and of no other task anything', () => {
    const learning = readFileSync(new URL('../../docs/learning.md', import.meta.url), 'utf8');
    expect(Object.keys(MEASURED_ON_MINI).toSorted()).toEqual(['cola', 'mrpc', 'sst2', 'stsb']);
    for (const row of [
      '| SST-2, accuracy | 1,000 | **1e-3: 0.780**',
      '| MRPC, F1 | 300 | **1e-3: 0.818**; 3e-3: 0.806 (all of class 1: 0.812)',
      '| STS-B, Pearson | 600 of 32 samples, on all six matrices | **2e-3: 0.159**',
      '| CoLA, Matthews | 300 | 2e-3: 0, the constant answer',
    ])
      expect(learning).toContain(row);
  });

  it('are told line by line, with the recipe of the model that is chosen', () => {
    const lines = Object.fromEntries(glueLines(glueFactsOf('mrpc')!, 'mini').map(({ what, value }) => [what, value]));
    expect(lines).toEqual({
      'Such as': '“The mill closed on Friday.” / “On Friday the mill was shut.”: equivalent',
      Examples: '3,668 to train, 408 to score',
      Score: 'F1 and accuracy',
      Published: 'accuracy 89.7',
      'roberta-mini': 'F1 81.8 after 300 rounds; a constant answer has 81.2',
      Recipe: '300 rounds of 16, learning rate 0.001',
    });
    const wnli = Object.fromEntries(glueLines(glueFactsOf('wnli')!, 'base').map(({ what, value }) => [what, value]));
    expect(wnli).toMatchObject({ Published: 'not in the paper', 'roberta-mini': 'not measured' });
    expect(wnli.Recipe).toBe('100 rounds of 16, learning rate 0.0004');
  });
});
