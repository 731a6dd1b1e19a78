/** What each key of PEFT's LoraConfig (0.21 and those before it) means for a session; the values themselves are read in lora-config.ts. */

import { brief } from '../../signaling/protocol/text/visible.ts';

export type JsonObject = ReadonlyMap<string, unknown>;

/** Why a value cannot be honoured, or what should be known of it; a clause without its full stop. Nothing where it is fine. */
type Rule = (value: unknown) => { readonly refusal?: string; readonly notice?: string } | undefined;

const MAX_SHOWN = 60;

/** A value in a sentence: short, and harmless on a terminal. */
export const shown = (value: unknown): string => brief(asJson(value), MAX_SHOWN);

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'missing';
  } catch {
    // JSON.parse reads what is nested without end; JSON.stringify does not write it.
    return 'nested too deeply';
  }
}

/** Null, false, nothing in it: as if the key were not there. */
const isOff = (value: unknown): boolean =>
  value === null ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

/** Says nothing about the adapter's values. */
const ignored: Rule = () => undefined;
const offOnly =
  (refusal: string): Rule =>
  (value) =>
    isOff(value) ? undefined : { refusal };
const check =
  (test: (value: unknown) => boolean, refusal: string): Rule =>
  (value) =>
    value === null || test(value) ? undefined : { refusal };

const isText = (value: unknown) => typeof value === 'string';
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isBoolean = (value: unknown) => typeof value === 'boolean';
const isNumber = (value: unknown) => Number.isFinite(value);
const isIndex = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;
const isNumbers = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isNumber);
const NAMES = 'names or one regular expression are expected';

const CHANGES_BASE =
  "PEFT changes the base model's weights when it loads such an adapter, so it does not fit the model as it is";
const CONVERT = "save it once more with PEFT's path_initial_model_for_weight_conversion, which makes it plain LoRA";

/** Ways of starting that leave nothing behind but the values in the file. */
const PLAIN_STARTS = new Set<unknown>([true, false, null, 'gaussian', 'orthogonal', 'eva']);
const CHANGED_STARTS: readonly (readonly [RegExp, string])[] = [
  [/^pissa(_niter_\d+)?$/, `it is PiSSA, and ${CHANGES_BASE}; ${CONVERT}`],
  [/^olora$/, `it is OLoRA, and ${CHANGES_BASE}; ${CONVERT}`],
  [/^corda$/, `it is CorDA, and ${CHANGES_BASE}; ${CONVERT}`],
  [/^lora_ga$/, `it is LoRA-GA, and ${CHANGES_BASE}; ${CONVERT}`],
  [/^loftq$/, `it is LoftQ, and ${CHANGES_BASE}`],
  [/^mica$/, 'it is MiCA, which keeps B as it is; here both matrices are trained'],
];

function startRule(value: unknown): ReturnType<Rule> {
  if (PLAIN_STARTS.has(value)) return undefined;
  const found = isText(value) ? CHANGED_STARTS.find(([name]) => name.test(String(value).toLowerCase())) : undefined;
  return { refusal: found?.[1] ?? 'this way of starting is not known here and may change the base model' };
}

export const CONFIG_KEYS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['peft_type', (value) => (value === 'LORA' ? undefined : { refusal: 'only LoRA adapters can be trained' })],
  [
    'task_type',
    check((value) => value === 'SEQ_CLS', 'only adapters for the classification of texts (SEQ_CLS) can be trained'),
  ],
  ['r', check((value) => isIndex(value) && value !== 0, 'a rank is a whole number above 0')],
  ['lora_alpha', check((value) => isNumber(value) && Number(value) > 0, 'alpha is a number above 0')],
  ['lora_dropout', check(isNumber, 'a number is expected')],
  ['use_rslora', check(isBoolean, 'true or false is expected')],
  ['rank_pattern', check(isNumbers, 'ranks by module are expected')],
  ['alpha_pattern', check(isNumbers, 'alphas by module are expected')],
  ['target_modules', check((value) => isText(value) || isTexts(value), NAMES)],
  ['exclude_modules', check((value) => isText(value) || isTexts(value), NAMES)],
  ['layers_pattern', check((value) => isText(value) || isTexts(value), NAMES)],
  [
    'layers_to_transform',
    check(
      (value) => isIndex(value) || (Array.isArray(value) && value.every(isIndex)),
      'numbers of layers are expected',
    ),
  ],
  ['modules_to_save', saveRule],
  ['init_lora_weights', startRule],
  [
    'bias',
    (value) =>
      isOff(value) || value === 'none'
        ? undefined
        : { refusal: "the base model's biases were trained, and have no place here" },
  ],
  [
    'fan_in_fan_out',
    (value) =>
      isOff(value)
        ? undefined
        : {
            notice:
              'RoBERTa’s projections are linear layers, for which PEFT takes it as false, and so does this session',
          },
  ],
  ['use_dora', offOnly('DoRA, which learns the length of each weight as well, is not supported')],
  ['lora_bias', offOnly('B was trained with a bias, which has no place here')],
  ['use_qalora', offOnly('QA-LoRA, for quantised weights, is not supported')],
  ['use_bdlora', offOnly('BD-LoRA, with matrices of diagonal blocks, is not supported')],
  ['alora_invocation_tokens', offOnly('activated LoRA, which adapts some of the tokens only, is not supported')],
  ['arrow_config', offOnly('Arrow, which routes among several adapters, is not supported')],
  ['kasa_config', offOnly('KaSA, which cuts singular values off the base model, is not supported')],
  ['monteclora_config', offOnly('MonteCLoRA, which draws adapters at random, is not supported')],
  ['layer_replication', offOnly("it repeats the model's layers, which is not supported")],
  ['target_parameters', offOnly('adapters on single parameters are not supported')],
  ['trainable_token_indices', offOnly('embeddings of tokens were trained, which have no place here')],
  ['megatron_config', offOnly("adapters on Megatron's parallel layers are not supported")],
  [
    'velora_config',
    (value) =>
      isOff(value)
        ? undefined
        : {
            notice:
              'VeLoRA trains on compressed activations; here they are whole, and the adapter’s values mean the same',
          },
  ],
  // Belong to a way of starting or to a variant that is refused above where it is on.
  ['loftq_config', ignored],
  ['eva_config', ignored],
  ['corda_config', ignored],
  ['lora_ga_config', ignored],
  ['qalora_group_size', ignored],
  ['megatron_core', ignored],
  // Of the base model's embeddings, which are not adapted, or of running and finding things.
  ['ensure_weight_tying', ignored],
  ['runtime_config', ignored],
  ['inference_mode', ignored],
  ['auto_mapping', ignored],
  ['peft_version', ignored],
  ['base_model_name_or_path', ignored],
  ['revision', ignored],
]);

/** Of the modules that PEFT keeps whole, a session has the classification head. */
function saveRule(value: unknown): ReturnType<Rule> {
  if (value === null) return undefined;
  if (!isTexts(value)) return { refusal: 'a list of names is expected' };
  const others = (value as readonly string[]).filter((name) => name !== 'classifier' && name !== 'score');
  return others.length === 0
    ? undefined
    : {
        refusal: `${others.slice(0, 5).join(', ')} were trained whole, and only the classification head has a place here`,
      };
}
