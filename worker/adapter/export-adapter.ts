import type { ExportedFile } from '../api/host-api.ts';
import { encodeSafetensors, type NamedTensor } from '../model/safetensors.ts';
import { adapterCard } from './model-card.ts';
import { peftConfig, peftTensorName } from './peft.ts';
import { TASK_FILE, writeTaskFile } from './task-file.ts';
import type { TrainedAdapter } from './trained-adapter.ts';

/** The folder that PEFT saves and opens: the adapter's tensors, its configuration, a model card; and what its outputs mean. */
export function exportAdapter(adapter: TrainedAdapter): readonly ExportedFile[] {
  const { layout, values } = adapter;
  const tensors: NamedTensor[] = [...layout.layers, layout.head].flatMap(({ slots }) =>
    slots.map(({ name, shape, offset, length }) => ({
      name: peftTensorName(name),
      shape,
      values: values.slice(offset, offset + length),
    })),
  );
  const text = (content: string) => new TextEncoder().encode(content);
  const { model } = adapter;
  const config = {
    ...peftConfig(adapter.lora, adapter.training.dropout, model.id),
    // Without it PEFT, as we do, takes the hub's main.
    ...(model.kind === 'hub' && model.revision !== 'main' && { revision: model.revision }),
  };
  return [
    { name: 'adapter_config.json', bytes: text(`${JSON.stringify(config, null, 2)}\n`) },
    { name: 'adapter_model.safetensors', bytes: encodeSafetensors(tensors, { format: 'pt' }) },
    { name: 'README.md', bytes: text(adapterCard(adapter)) },
    { name: TASK_FILE, bytes: writeTaskFile(adapter) },
  ];
}
