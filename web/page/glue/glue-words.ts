import { recipeFor } from '../../../signaling/protocol/words/recipes.ts';
import * as say from '../../words/start/glue.ts';
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
    { what: say.suchAs, value: `${example.texts.map((text) => `“${text}”`).join(' / ')}: ${example.answer}` },
    { what: say.examples, value: say.toTrainToScore(count(trainExamples), count(devExamples)) },
    { what: say.score, value: metric },
    {
      what: say.publishedTitle,
      value: published === null ? say.notInThePaper : `${published.measure} ${published.score.toFixed(1)}`,
    },
    {
      what: 'roberta-mini',
      value:
        mini === null
          ? say.notMeasured
          : say.afterRounds(mini.score, count(mini.rounds), mini.remark === null ? '' : `; ${mini.remark}`),
    },
    {
      what: say.recipe,
      value: say.roundsOfLearningRate(count(training.rounds), training.samplesPerRound, training.learningRate),
    },
  ];
}
