import { recipeFor } from '../../../signaling/protocol/words/recipes.ts';
import type { GlueFacts } from './glue-facts.ts';

export interface GlueLine {
  readonly what: string;
  readonly value: string;
}

const count = (value: number): string => value.toLocaleString('en-US');

/** What the gallery says of a task that is chosen, line by line; the recipe is that of the model that is chosen. */
export function glueLines(facts: GlueFacts, model: 'mini' | 'base'): readonly GlueLine[] {
  const { example, trainExamples, devExamples, metric, published, mini } = facts;
  const { training } = recipeFor(facts.id, model);
  return [
    { what: 'Such as', value: `${example.texts.map((text) => `“${text}”`).join(' / ')}: ${example.answer}` },
    { what: 'Examples', value: `${count(trainExamples)} to train, ${count(devExamples)} to score` },
    { what: 'Score', value: metric },
    {
      what: 'Published',
      value: published === null ? 'not in the paper' : `${published.measure} ${published.score.toFixed(1)}`,
    },
    {
      what: 'roberta-mini',
      value:
        mini === null
          ? 'not measured'
          : `${mini.score} after ${count(mini.rounds)} rounds${mini.remark === null ? '' : `; ${mini.remark}`}`,
    },
    {
      what: 'Recipe',
      value: `${count(training.rounds)} rounds of ${training.samplesPerRound}, learning rate ${training.learningRate}`,
    },
  ];
}
