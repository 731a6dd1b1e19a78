import { PLAIN_TRAINING, type SessionSettings, type TrainingSettings } from '../../../signaling/protocol/settings.ts';
import { adaptersText } from '../../../signaling/protocol/words/adapters.ts';
import { epochsOf, epochsText } from '../../../signaling/protocol/words/forecast.ts';
import { capitalised, countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { metricName } from '../../../signaling/protocol/words/metrics.ts';
import * as say from '../../words/watch/session.ts';
import { SCHEDULE_LABELS, TARGET_LABELS, UPLOADS_CHOICES, WEIGHT_CHOICES } from '../parts/choices.ts';
import type { Fact } from '../parts/facts.tsx';

/** "AdamW, gradients clipped to norm 1, linear decay": what a person who asks wants to know, and no more. */
function optimiserText(training: TrainingSettings): string {
  const { maxGradientNorm, schedule, loraPlusRatio, beta1, beta2, epsilon } = training;
  const plain = beta1 === PLAIN_TRAINING.beta1 && beta2 === PLAIN_TRAINING.beta2 && epsilon === PLAIN_TRAINING.epsilon;
  return [
    plain ? say.adamW : say.adamWWithBetasAndEpsilon(beta1, beta2, epsilon),
    maxGradientNorm > 0 ? say.gradientsClippedToNorm(maxGradientNorm) : say.gradientsAsThey,
    ...(loraPlusRatio > 1 ? [say.loRAWithRatio(loraPlusRatio)] : []),
    SCHEDULE_LABELS[schedule].toLowerCase(),
  ].join(', ');
}

function lossFacts(
  { classNames }: SessionSettings['task'],
  { classWeights, labelSmoothing }: TrainingSettings,
): readonly Fact[] {
  const weights = Array.isArray(classWeights)
    ? classWeights.map((weight, label) => say.weighs(classNames[label] ?? label, Number(weight.toPrecision(3))))
    : [];
  const smoothing = labelSmoothing > 0 ? [say.labelsAreSmoothed(labelSmoothing)] : [];
  const all = [...weights, ...smoothing];
  return all.length === 0 ? [] : [{ what: say.loss, value: capitalised(listText(all)) }];
}

/** What the session is about, for everyone in it, line by line. */
export function sessionFacts({ model, weights, shape, task, lora, training }: SessionSettings): readonly Fact[] {
  const count = (value: number) => value.toLocaleString('en-US');
  const dropout = training.dropout > 0 ? say.dropout(training.dropout) : '';
  return [
    { what: say.task, value: task.title },
    {
      what: say.classes,
      value: task.labelCount === 1 ? say.noneTheModelAnswers : listText(task.classNames),
    },
    { what: say.score, value: capitalised(metricName(task.metric)) },
    { what: say.examples, value: say.toTrainToScore(count(task.trainExamples), count(task.devExamples)) },
    { what: say.model, value: say.wide(model.id, countText(shape.layers, say.layer, say.layers), shape.hiddenSize) },
    { what: say.weightsInMemory, value: WEIGHT_CHOICES[weights].label },
    {
      what: say.loRA,
      value: say.onWithLora(
        adaptersText(lora),
        listText(lora.targets.map((target) => TARGET_LABELS[target].toLowerCase())),
      ),
    },
    {
      what: say.training,
      value: say.ofLearningRate(
        countText(training.rounds, say.round, say.rounds),
        countText(training.samplesPerRound, say.sample, say.samples),
        epochsText(epochsOf(training.rounds, { training, task })),
        training.learningRate,
        dropout,
      ),
    },
    { what: say.optimiser, value: optimiserText(training) },
    ...(training.uploads === 'f32'
      ? []
      : [{ what: say.gradientsOnTheirWay, value: UPLOADS_CHOICES[training.uploads].label }]),
    ...lossFacts(task, training),
  ];
}
