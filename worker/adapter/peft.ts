import type { LoraSettings, LoraTarget } from '../../signaling/protocol/settings.ts';
import { ENCODER_PREFIX, layerTensorName, MODULE_PATHS } from '../model/tensor-names.ts';

const SLOT = /^lora\.layer\.(\d+)\.(.+)\.([AB])$/;

/**
 * The name under which PEFT saves a trainable tensor: the adapter's own name ("default") and the wrapper of `modules_to_save` are left
 * out (`get_peft_model_state_dict` in peft/utils/save_and_load.py).
 */
export function peftTensorName(slotName: string): string {
  const [, layer, target, matrix] = SLOT.exec(slotName) ?? [];
  if (!layer || !target || !matrix) return `base_model.model.${slotName}`;
  return `base_model.model.${layerTensorName(layer, `${MODULE_PATHS[target as LoraTarget]}.lora_${matrix}.weight`)}`;
}

const TARGETS = new Map(Object.entries(MODULE_PATHS).map(([target, module]) => [module, target]));

/**
 * The slot that a tensor of an adapter file belongs to, or null: names as PEFT saves them now and saved them once (with the wrapper's
 * `modules_to_save` and the adapter's "default"), and those of the original LoRA release (no prefix, no ".weight" after lora_A).
 */
export function peftSlotName(tensorName: string): string | null {
  const name = tensorName
    .replace(/^base_model\.model\./, '')
    .replace(/^roberta\./, '')
    .replace('.modules_to_save', '')
    .replace('.default', '');
  const [, layer, module, matrix] = /^encoder\.layer\.(\d+)\.(.+)\.lora_([AB])(?:\.weight)?$/.exec(name) ?? [];
  if (layer && module && matrix) {
    const target = TARGETS.get(module);
    return target === undefined ? null : `lora.layer.${layer}.${target}.${matrix}`;
  }
  return /^classifier\.(dense|out_proj)\.(weight|bias)$/.test(name) ? name : null;
}

/**
 * How `target_modules` must name the targets. PEFT takes a list entry as the end of a module's path, and "output.dense" is also the end
 * of "attention.output.dense": where only the former is meant, a regular expression over the whole path says so.
 */
function targetModules({ targets, layers }: LoraSettings): readonly string[] | string {
  if (!targets.includes('output.dense') || targets.includes('attention.output.dense')) return targets;
  const modules = targets.map((target) => MODULE_PATHS[target].replaceAll('.', '\\.')).join('|');
  return `roberta\\.encoder\\.layer\\.${layers === undefined ? '\\d+' : `(${layers.join('|')})`}\\.(${modules})`;
}

/** A pattern for each module by the end of its name, under which every PEFT finds it: older ones want the whole name less its first part. */
function modulePattern(lora: LoraSettings, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([layer, value]) =>
      lora.targets.map((target) => [layerTensorName(layer, MODULE_PATHS[target]).slice(ENCODER_PREFIX.length), value]),
    ),
  );
}

/**
 * The content of `adapter_config.json`: only keys that every PEFT since 0.5 knows, because it refuses others; `use_rslora`, which came
 * with 0.7, where it is meant. With a regular expression for its modules PEFT takes no `layers_to_transform`: then that says the layers.
 */
export function peftConfig(lora: LoraSettings, dropout: number, baseModel: string): Record<string, unknown> {
  const modules = targetModules(lora);
  const { layers, rankPattern, alphaPattern, rslora } = lora;
  return {
    base_model_name_or_path: baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: lora.alpha,
    lora_dropout: dropout,
    modules_to_save: ['classifier'],
    peft_type: 'LORA',
    r: lora.rank,
    target_modules: modules,
    task_type: 'SEQ_CLS',
    ...(layers === undefined || typeof modules === 'string' ? {} : { layers_to_transform: [...layers] }),
    ...(rankPattern === undefined ? {} : { rank_pattern: modulePattern(lora, rankPattern) }),
    ...(alphaPattern === undefined ? {} : { alpha_pattern: modulePattern(lora, alphaPattern) }),
    ...(rslora === true ? { use_rslora: true } : {}),
  };
}
