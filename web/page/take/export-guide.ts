import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import * as say from '../../words/take/take.ts';
import { exportFolder, sessionName } from './export-kinds.ts';

/** Four lines of Python that open the adapter with Hugging Face PEFT. */
export function peftSnippet(settings: SessionSettings): string {
  const base = settings.model.kind === 'hub' ? settings.model.id : `models/${settings.model.id}`;
  return [
    say.fromPeftImportPeftModel,
    say.fromTransformersImportAutoModelForSequenceClassification,
    say.baseAutoModelForSequenceClassificationFromPretrainedNum(base, settings.task.labelCount),
    `model = PeftModel.from_pretrained(base, "${exportFolder('adapter', sessionName(settings))}")`,
  ].join('\n');
}

/** Where the base model of the snippet is found. */
export function baseModelNote(settings: SessionSettings): string {
  return settings.model.kind === 'hub'
    ? say.peftDownloadsItself(settings.model.id)
    : say.theBaseModelLies(settings.model.id);
}
