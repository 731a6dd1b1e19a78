import type { FurtherScore } from '../../signaling/protocol/scores.ts';
import type { Schedule, TrainingSettings } from '../../signaling/protocol/settings.ts';
import { visible } from '../../signaling/protocol/text/visible.ts';
import { adaptersText } from '../../signaling/protocol/words/adapters.ts';
import { capitalised } from '../../signaling/protocol/words/lists.ts';
import { measureName, metricName } from '../../signaling/protocol/words/metrics.ts';
import type { ScoreAt, TrainedAdapter } from './trained-adapter.ts';

/** A person's own words in Markdown: on one line, and every character that means something there escaped (CommonMark, section 2.4). */
const plain = (text: string): string => visible(text).replace(/[\\`*_{}[\]<>#|~&!$]/g, '\\$&');

/** Fixed digits without trailing zeros, for people. */
const short = (value: number) => String(Number(value.toPrecision(4)));

const SCHEDULE_WORDS: Readonly<Record<Schedule, string>> = {
  linear: 'linear decay',
  cosine: 'cosine decay',
  constant: 'constant',
};

function optimiserText(training: TrainingSettings): string {
  const { learningRate, weightDecay, beta1, beta2, epsilon, loraPlusRatio, maxGradientNorm, uploads } = training;
  return [
    `AdamW, learning rate ${short(learningRate)}`,
    ...(loraPlusRatio > 1 ? [`${short(loraPlusRatio)} times that for B and biases (LoRA+)`] : []),
    `weight decay ${short(weightDecay)}`,
    `betas ${beta1} and ${beta2}`,
    `epsilon ${epsilon}`,
    maxGradientNorm > 0 ? `gradients clipped to norm ${short(maxGradientNorm)}` : 'no clipping',
    ...(uploads === 'f32' ? [] : [`gradients rounded to ${uploads === 'f16' ? '16' : '8'} bits on their way`]),
  ].join(', ');
}

function lossText({ kind }: TrainedAdapter['task'], { classWeights, labelSmoothing }: TrainingSettings): string {
  if (kind === 'regression') return 'squared error';
  if (kind === 'multi-label') return 'binary cross-entropy of each label';
  const weights = Array.isArray(classWeights) ? `, class weights ${classWeights.map(short).join(', ')}` : '';
  return `cross-entropy${weights}${labelSmoothing > 0 ? `, label smoothing ${short(labelSmoothing)}` : ''}`;
}

const besideConstant = ({ constant }: FurtherScore): string =>
  constant === undefined ? '' : ` (constant answer ${short(constant)})`;

/** What both kinds of export say of the training. */
function recipe({ model, task, lora, training, rounds, scores, devices }: TrainedAdapter): string {
  const first = scores[0];
  const last = scores.at(-1);
  const measured =
    first && last
      ? `Dev ${metricName(last.metric)} (${ofExamples(last, task.devExamples)}): ${short(last.value)} after round ${last.round}` +
        (first.round < last.round
          ? `, ${short(first.value)} after round ${first.round}${otherExamples(first, last, task.devExamples)}.`
          : '.') +
        (last.constant === undefined ? '' : ` The best constant answer has ${short(last.constant)}.`) +
        last.further
          .map((one) => ` ${capitalised(measureName(one))}: ${short(one.value)}${besideConstant(one)}.`)
          .join('')
      : 'It has not been evaluated.';
  const where =
    model.kind === 'hub'
      ? `\`${model.id}\` (revision \`${model.revision}\`)`
      : `\`${model.id}\`, which comes with Tabloom`;
  const classes = task.classNames.map((name, label) => `${label} ${plain(name)}`).join(', ');
  return `${measured}

| | |
|---|---|
| base model | ${where} |
| task | ${plain(task.title)}, ${task.trainExamples} training examples |
| ${classes ? 'classes' : 'output'} | ${classes || 'one number'} |
| LoRA | ${adaptersText(lora)}, on ${lora.targets.join(', ')} |
| rounds | ${rounds} of ${training.rounds}, ${training.samplesPerRound} samples each, at most ${training.maxTokens} tokens |
| optimiser | ${optimiserText(training)} |
| schedule | linear warm-up over ${short(100 * training.warmupFraction)} % of the rounds, then ${SCHEDULE_WORDS[training.schedule]} |
| loss | ${lossText(task, training)} |
| dropout | ${short(training.dropout)} |
| seed | ${training.seed} |

${trainedBy(devices)} with Tabloom.`;
}

const ofExamples = ({ examples = Number.POSITIVE_INFINITY }: ScoreAt, all: number): string =>
  examples < all ? `a sample of ${examples} of ${all} examples` : `${all} examples`;

/** Said where two scores are of different examples. */
const otherExamples = (score: ScoreAt, other: ScoreAt, all: number): string =>
  ofExamples(score, all) === ofExamples(other, all) ? '' : ` (${ofExamples(score, all)})`;

const trainedBy = (devices: number): string =>
  devices > 1
    ? `Trained together by ${devices} devices`
    : devices === 1
      ? 'Trained on one device'
      : 'Not trained yet; made';

function frontMatter(lines: readonly string[]): string {
  return ['---', ...lines, 'pipeline_tag: text-classification', 'tags:', '- lora', '- tabloom', '---'].join('\n');
}

/** The README.md of an exported adapter: what it is, how it was made, how to open it; with the front matter that the hub reads. */
export function adapterCard(adapter: TrainedAdapter): string {
  const { model, task } = adapter;
  const classes = task.classNames.map((name, label) => `${label}: ${JSON.stringify(name)}`).join(', ');
  const labels = classes ? `id2label={${classes}}` : 'num_labels=1';
  const base = JSON.stringify(model.id);
  const note = model.kind === 'embedded' ? `\nGive the path of the base model's own folder for ${base}.\n` : '';
  return `${frontMatter([`base_model: ${model.id}`, 'library_name: peft'])}

# ${plain(task.title)}: a LoRA adapter for ${model.id}

${recipe(adapter)}

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(${base})
model = AutoModelForSequenceClassification.from_pretrained(${base}, ${labels})
model = PeftModel.from_pretrained(model, "path/to/this/folder")
\`\`\`
${note}`;
}

/** The README.md of a merged model. */
export function mergedModelCard(adapter: TrainedAdapter): string {
  const { model, task } = adapter;
  return `${frontMatter([`base_model: ${model.id}`, 'library_name: transformers'])}

# ${plain(task.title)}: ${model.id}, fine-tuned

The adapters of LoRA are merged into the weights.

${recipe(adapter)}

\`\`\`python
from transformers import pipeline

classify = pipeline("text-classification", "path/to/this/folder")
\`\`\`
`;
}

/** The README.md of a merged model as ONNX. */
export function onnxModelCard(adapter: TrainedAdapter): string {
  const { model, task } = adapter;
  return `${frontMatter([`base_model: ${model.id}`, 'library_name: transformers.js'])}

# ${plain(task.title)}: ${model.id}, fine-tuned, as ONNX

The adapters of LoRA are merged into the weights. Inputs \`input_ids\` and \`attention_mask\` (int64, batch by sequence), output \`logits\`.

${recipe(adapter)}

\`\`\`js
import { env, pipeline } from '@huggingface/transformers';

env.localModelPath = 'path/to/the/folder/above/';
const classify = await pipeline('text-classification', 'this-folder', { dtype: 'fp32', local_files_only: true });
console.log(await classify('…'));
\`\`\`
`;
}
