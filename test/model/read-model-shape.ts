import type { ModelShape, ModelSource } from '../../signaling/protocol/settings.ts';
import { type OpenFile, readJson } from '../../worker/files/open-file.ts';
import { parseModelConfig } from '../../worker/model/config.ts';
import { modelFileUrl } from '../../worker/model/model-files.ts';

export async function readModelShape(open: OpenFile, source: ModelSource, origin: string): Promise<ModelShape> {
  return parseModelConfig(await readJson(open, modelFileUrl(source, origin, 'config.json')));
}
