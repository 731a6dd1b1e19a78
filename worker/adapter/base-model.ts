import type { ModelSource } from '../../signaling/protocol/settings.ts';
import type { LoraConfig } from './lora-config.ts';

/** Sentences where the model that an adapter was made for is another than the session's, as far as their names tell. */
export function baseModelNotices(
  { baseModel, revision }: Pick<LoraConfig, 'baseModel' | 'revision'>,
  model: ModelSource | null,
): readonly string[] {
  if (baseModel === null || model === null) return [];
  if (nameOf(baseModel) !== nameOf(model.id))
    return [
      `The adapter was made for ${clipped(baseModel)}${revision === null ? '' : `, revision ${clipped(revision)}`}; this session's model is ${model.id}. Where their weights differ, it starts from another point.`,
    ];
  if (model.kind === 'embedded') return revision === null ? [] : [other(revision, 'the one that comes with Tabloom')];
  return (revision ?? 'main') === model.revision ? [] : [other(revision ?? 'main', `${model.revision}`)];
}

function other(revision: string, ours: string): string {
  return `The adapter was made for revision ${clipped(revision)} of its model; this session's is ${ours}.`;
}

/** `roberta-base` of `FacebookAI/roberta-base`, of a path on whatever system, and of a snapshot in the hub's cache. */
function nameOf(id: string): string {
  const cached = /models--(?:[^/\\]+--)?([^/\\]+?)(?:[/\\]|$)/.exec(id)?.[1];
  return (cached ?? id.split(/[/\\]/).findLast((part) => part !== '') ?? id).toLowerCase();
}

const clipped = (text: string) => JSON.stringify(text.slice(0, 100));
