import { listText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { NamedFile } from '../../../worker/api/tables.ts';
import * as say from '../../words/start/start.ts';

/** What a person gives to start from: a PEFT folder's two files, or one checkpoint of the original LoRA release. */

const PEFT_CONFIG = 'adapter_config.json';

/** What is wrong with the files at first sight, or null; whether they fit the model is seen when it opens. */
export function adapterProblem(files: readonly Pick<NamedFile, 'name'>[]): string | null {
  const names = files.map(({ name }) => name);
  const tensors = names.filter((name) => name.endsWith('.safetensors'));
  if (tensors.length > 1) return say.chooseOneAdapter(listText(tensors), tensors.length);
  if (tensors.length === 1) return null;
  const pickle = names.find((name) => /\.(bin|pt|pth|ckpt|pkl)$/i.test(name));
  if (pickle !== undefined) return say.isAPickleWhichCan(pickle);
  return names.includes(PEFT_CONFIG)
    ? say.chooseAdapterModelSafetensorsTogether(PEFT_CONFIG)
    : say.chooseAdapterModelSafetensors(PEFT_CONFIG);
}

/** What the chosen files are taken for. */
export function adapterText(files: readonly NamedFile[]): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const named = files.some(({ name }) => name === PEFT_CONFIG) ? say.aPeftAdapter : say.aLoRACheckpointWithout;
  return say.itsRankAndProjectionsReplace(named, bytesText(bytes));
}
