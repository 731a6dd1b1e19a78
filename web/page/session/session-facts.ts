import { PLAIN_TRAINING, type SessionSettings, type TrainingSettings } from '../../../signaling/protocol/settings.ts';
import { adaptersText } from '../../../signaling/protocol/words/adapters.ts';
import { epochsOf, epochsText } from '../../../signaling/protocol/words/forecast.ts';
import { capitalised, countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { metricName } from '../../../signaling/protocol/words/metrics.ts';
import { SCHEDULE_LABELS, TARGET_LABELS, UPLOADS_CHOICES, WEIGHT_CHOICES } from '../parts/choices.ts';
import type { Fact } from '../parts/facts.tsx';

/** "AdamW, gradients clipped to norm 1, linear decay": what a person who asks wants to know, and no more. */
function optimiserText(training: TrainingSettings): string {
  const { maxGradientNorm, schedule, loraPlusRatio, beta1, beta2, epsilon } = training;
  const plain = beta1 === PLAIN_TRAINING.beta1 && beta2 === PLAIN_TRAINING.beta2 && epsilon === PLAIN_TRAINING.epsilon;
  return [
    plain ? 'AdamW' : `AdamW with betas ${beta1} and ${beta2}, epsilon ${epsilon}`,
    maxGradientNorm > 0 ? `gradients clipped to norm ${maxGradientNorm}` : 'gradients as they are',
    ...(loraPlusRatio > 1 ? [`LoRA+ with ratio ${loraPlusRatio}`] : []),
    SCHEDULE_LABELS[schedule].toLowerCase(),
  ].join(', ');
}

function lossFacts(
  { classNames }: SessionSettings['task'],
  { classWeights, labelSmoothing }: TrainingSettings,
): readonly Fact[] {
  const weights = Array.isArray(classWeights)
    ? classWeights.map((weight, label) => `${classNames[label] ?? label} weighs ${Number(weight.toPrecision(3))}`)
    : [];
  const smoothing = labelSmoothing > 0 ? [`labels are smoothed by ${labelSmoothing}`] : [];
  const all = [...weights, ...smoothing];
  return all.length === 0 ? [] : [{ what: 'Loss', value: capitalised(listText(all)) }];
}

/** What the session is about, for everyone in it, line by line. */
export function sessionFacts({ model, weights, shape, task, lora, training }: SessionSettings): readonly Fact[] {
  const count = (value: number) => value.toLocaleString('en-US');
  const dropout = training.dropout > 0 ? `, dropout ${training.dropout}` : '';
  return [
    { what: 'Task', value: task.title },
    {
      what: 'Classes',
      value: task.labelCount === 1 ? 'none: the model answers with a number' : listText(task.classNames),
    },
    { what: 'Score', value: capitalised(metricName(task.metric)) },
    { what: 'Examples', value: `${count(task.trainExamples)} to train, ${count(task.devExamples)} to score` },
    { what: 'Model', value: `${model.id}, ${countText(shape.layers, 'layer', 'layers')}, ${shape.hiddenSize} wide` },
    { what: 'Weights in memory', value: WEIGHT_CHOICES[weights].label },
    {
      what: 'LoRA',
      value: `${adaptersText(lora)}, on ${listText(lora.targets.map((target) => TARGET_LABELS[target].toLowerCase()))}`,
    },
    {
      what: 'Training',
      value: `${countText(training.rounds, 'round', 'rounds')} of ${countText(training.samplesPerRound, 'sample', 'samples')} (${epochsText(epochsOf(training.rounds, { training, task }))}), learning rate ${training.learningRate}${dropout}`,
    },
    { what: 'Optimiser', value: optimiserText(training) },
    ...(training.uploads === 'f32'
      ? []
      : [{ what: 'Gradients on their way', value: UPLOADS_CHOICES[training.uploads].label }]),
    ...lossFacts(task, training),
  ];
}
