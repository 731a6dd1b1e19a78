import type { TrainedAdapter } from './trained-adapter.ts';

/** Fixed digits without trailing zeros, for people. */
const short = (value: number) => String(Number(value.toPrecision(4)));

/** The README.md of an exported adapter: what it is, how it was made, how to open it; with the front matter that the hub reads. */
export function modelCard({ model, task, lora, training, rounds, scores }: TrainedAdapter): string {
  const first = scores[0];
  const last = scores.at(-1);
  const classes = task.classNames.map((name, label) => `${label}: ${JSON.stringify(name)}`).join(', ');
  const labels = task.classNames.length > 0 ? `id2label={${classes}}` : 'num_labels=1';
  const base = JSON.stringify(model.id);
  const measured =
    first && last
      ? `Dev ${last.metric} (${task.devExamples} examples): ${short(last.value)} after round ${last.round}` +
        (first.round < last.round ? `, ${short(first.value)} after round ${first.round}.` : '.')
      : 'It has not been evaluated.';
  const where =
    model.kind === 'hub'
      ? `\`${model.id}\` (revision \`${model.revision}\`)`
      : `\`${model.id}\`, which comes with Tabloom: put its folder beside this one, or give its path instead of ${base}`;
  return `---
base_model: ${model.id}
library_name: peft
pipeline_tag: text-classification
tags:
- lora
- tabloom
---

# ${task.title}: a LoRA adapter for ${model.id}

${measured}

| | |
|---|---|
| base model | ${where} |
| task | ${task.title}, ${task.trainExamples} training examples |
| ${task.classNames.length > 0 ? 'classes' : 'output'} | ${task.classNames.length > 0 ? task.classNames.map((name, label) => `${label} ${name}`).join(', ') : 'one number'} |
| LoRA | rank ${lora.rank}, alpha ${short(lora.alpha)}, on ${lora.targets.join(', ')} |
| rounds | ${rounds} of ${training.rounds}, ${training.samplesPerRound} samples each, at most ${training.maxTokens} tokens |
| optimiser | AdamW, learning rate ${short(training.learningRate)}, weight decay ${short(training.weightDecay)}, linear warm-up over ${short(100 * training.warmupFraction)} % of the rounds, then linear decay |
| dropout | ${short(training.dropout)} |
| seed | ${training.seed} |

Trained together by several devices in browser tabs, with Tabloom.

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(${base})
model = AutoModelForSequenceClassification.from_pretrained(${base}, ${labels})
model = PeftModel.from_pretrained(model, "path/to/this/folder")
\`\`\`
`;
}
