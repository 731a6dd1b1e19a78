import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import { exportFolder, sessionName } from './export-kinds.ts';

/** Four lines of Python that open the adapter with Hugging Face PEFT. */
export function peftSnippet(settings: SessionSettings): string {
  const base = settings.model.kind === 'hub' ? settings.model.id : `models/${settings.model.id}`;
  return [
    'from peft import PeftModel',
    'from transformers import AutoModelForSequenceClassification',
    `base = AutoModelForSequenceClassification.from_pretrained("${base}", num_labels=${settings.task.labelCount})`,
    `model = PeftModel.from_pretrained(base, "${exportFolder('adapter', sessionName(settings))}")`,
  ].join('\n');
}

/** Where the base model of the snippet is found. */
export function baseModelNote(settings: SessionSettings): string {
  return settings.model.kind === 'hub'
    ? `PEFT downloads ${settings.model.id} itself.`
    : `The base model lies in this project’s folder models/${settings.model.id}.`;
}
