import { MAX_LORA_ALPHA, MAX_LORA_RANK } from '../../signaling/protocol/limits.ts';
import { LORA_TARGETS, type LoraTarget } from '../../signaling/protocol/settings.ts';
import { layerTensorName, MODULE_PATHS } from '../model/tensor-names.ts';
import { CONFIG_KEYS, type JsonObject, shown } from './lora-config-keys.ts';
import { compilePattern, PatternError } from './module-pattern.ts';

/** A projection that carries an adapter. */
export interface AdaptedModule {
  /** Counts from the embeddings. */
  readonly layer: number;
  readonly target: LoraTarget;
  readonly rank: number;
  /** As the configuration states it; `rankStabilised` says what it is divided by. */
  readonly alpha: number;
}

/** What a PEFT configuration says of a LoRA adapter on a RoBERTa encoder. */
export interface LoraConfig {
  /** Layer by layer, in the order of LORA_TARGETS. */
  readonly modules: readonly AdaptedModule[];
  /** Scaled by alpha / sqrt(rank) in place of alpha / rank. */
  readonly rankStabilised: boolean;
  /** Null where it is not stated. */
  readonly dropout: number | null;
  readonly baseModel: string | null;
  readonly revision: string | null;
}

export interface LoraConfigReading {
  /** Null exactly where something is refused. */
  readonly config: LoraConfig | null;
  /** Sentences; each names its key. */
  readonly refusals: readonly string[];
  readonly notices: readonly string[];
}

/** PEFT's own defaults (LoraConfig of 0.21). */
const DEFAULT_RANK = 8;
const DEFAULT_ALPHA = 8;
/** What PEFT adapts in RoBERTa where nothing is named. */
const DEFAULT_TARGETS = ['query', 'value'];
/** Names and patterns in one key, and those of them that are more than a name. */
const MAX_PATTERNS = 2_000;
const MAX_REAL_PATTERNS = 50;

/** Modules of `RobertaForSequenceClassification` besides the layers' that PEFT could adapt; a session cannot. */
const OTHER_MODULES = [
  'roberta.embeddings.word_embeddings',
  'roberta.embeddings.position_embeddings',
  'roberta.embeddings.token_type_embeddings',
  'classifier.dense',
  'classifier.out_proj',
];
/** Kept whole by PEFT for every task of classification, whatever `modules_to_save` says. */
const HEAD_NAMES = ['classifier', 'score'];

/**
 * Reads `adapter_config.json`, parsed as JSON, for an encoder of `layers` layers: each key that changes numbers is in the result or
 * refused by name, each unknown one is in a notice. Which modules are meant is found as PEFT finds it (`check_target_module_exists` and
 * `get_pattern_key`).
 */
export function readLoraConfig(json: unknown, layers: number): LoraConfigReading {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return { config: null, refusals: ['adapter_config.json is not a JSON object.'], notices: [] };
  const given: JsonObject = new Map(Object.entries(json));
  const refusals: string[] = [];
  const notices: string[] = [];
  const unknown: string[] = [];
  for (const [key, value] of given) {
    const rule = CONFIG_KEYS.get(key);
    if (rule === undefined) unknown.push(key);
    else {
      const { refusal, notice } = rule(value) ?? {};
      if (refusal !== undefined) refusals.push(`adapter_config.json: ${key} is ${shown(value)}: ${refusal}.`);
      if (notice !== undefined) notices.push(`adapter_config.json: ${key} is ${shown(value)}: ${notice}.`);
    }
  }
  if (!given.has('peft_type'))
    refusals.push('adapter_config.json has no peft_type; is it the configuration of an adapter?');
  if (unknown.length > 0) notices.push(unknownKeys(unknown));
  if (refusals.length > 0) return { config: null, refusals, notices };
  try {
    return { config: meant(given, layers), refusals, notices };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return { config: null, refusals: [`adapter_config.json: ${error.message}.`], notices };
  }
}

function unknownKeys(keys: readonly string[]): string {
  const some = keys.slice(0, 5).map((key) => `"${key.slice(0, 40)}"`);
  const rest = keys.length > some.length ? ` and ${keys.length - some.length} more` : '';
  return `adapter_config.json has ${keys.length === 1 ? 'a key that is' : 'keys that are'} not known here: ${some.join(', ')}${rest}. What ${keys.length === 1 ? 'it says' : 'they say'} is not used.`;
}

/** Every key has been through its rule. @throws PatternError. */
function meant(given: JsonObject, layers: number): LoraConfig {
  const rank = numberAt(given, 'r') ?? DEFAULT_RANK;
  const alpha = numberAt(given, 'lora_alpha') ?? DEFAULT_ALPHA;
  const ranks = patternsAt(given, 'rank_pattern');
  const alphas = patternsAt(given, 'alpha_pattern');
  const isMeant = moduleTest(given);
  const modules = Array.from({ length: layers }, (_, layer) =>
    LORA_TARGETS.map((target) => ({ layer, target, name: layerTensorName(layer, MODULE_PATHS[target]) })),
  )
    .flat()
    .filter(({ name }) => isMeant(name))
    .map(({ layer, target, name }) => ({ layer, target, rank: ranks(name) ?? rank, alpha: alphas(name) ?? alpha }));
  const other = OTHER_MODULES.find(isMeant);
  if (other !== undefined)
    throw new PatternError(`target_modules means ${other} as well, which cannot be adapted here`);
  if (modules.length === 0)
    throw new PatternError(
      `target_modules is ${shown(given.get('target_modules'))}: it means no projection of this model's ${layers} layers`,
    );
  const outside = modules.find(
    (module) => !Number.isInteger(module.rank) || module.rank < 1 || module.rank > MAX_LORA_RANK,
  );
  if (outside)
    throw new PatternError(`rank ${outside.rank} is not among those that can be trained, 1 to ${MAX_LORA_RANK}`);
  const wild = modules.find((module) => !(module.alpha > 0 && module.alpha <= MAX_LORA_ALPHA));
  if (wild)
    throw new PatternError(
      `alpha ${wild.alpha} is not among those that can be trained, above 0 up to ${MAX_LORA_ALPHA}`,
    );
  return {
    modules,
    rankStabilised: given.get('use_rslora') === true,
    dropout: numberAt(given, 'lora_dropout') ?? null,
    baseModel: textAt(given, 'base_model_name_or_path'),
    revision: textAt(given, 'revision'),
  };
}

/** Whether PEFT would adapt the module of a name. */
function moduleTest(given: JsonObject): (name: string) => boolean {
  const targets = given.get('target_modules') ?? DEFAULT_TARGETS;
  const isLinearMeant = typeof targets === 'string' && targets.toLowerCase() === 'all-linear';
  const isTarget = isLinearMeant ? isLinear : namesTest(targets, 'target_modules');
  const whole = new Set<unknown>(Array.isArray(targets) ? targets : []);
  const isExcluded = namesTest(given.get('exclude_modules') ?? [], 'exclude_modules');
  const kept = [...listAt(given, 'modules_to_save'), ...(given.get('task_type') === 'SEQ_CLS' ? HEAD_NAMES : [])];
  const isKept = (name: string) => kept.some((module) => `.${name}.`.includes(`.${module}.`));
  const isInLayer = layerTest(given);
  // Only a name that is the end of a path is asked for its layer.
  const layerCounts = (name: string) => Array.isArray(targets) && !whole.has(name);
  return (name) => isTarget(name) && (!layerCounts(name) || isInLayer(name)) && !isExcluded(name) && !isKept(name);
}

const isLinear = (name: string): boolean => !name.startsWith('roberta.embeddings.');

/** A list's entry is a module's name or the end of it; a text is a regular expression over the whole name. */
function namesTest(names: unknown, key: string): (name: string) => boolean {
  if (typeof names === 'string') {
    const matches = compiled(names, key);
    return (name) => matches(name);
  }
  const ends = Array.isArray(names) ? names.filter((end) => typeof end === 'string') : [];
  return (name) => ends.some((end) => name === end || name.endsWith(`.${end}`));
}

/** `layers_to_transform`, by the number after the first module whose name is among `layers_pattern`. */
function layerTest(given: JsonObject): (name: string) => boolean {
  const stated = given.get('layers_to_transform') ?? [];
  const layers = new Set(Array.isArray(stated) ? stated : [stated]);
  if (layers.size === 0) return () => true;
  const patterns = listAt(given, 'layers_pattern').map((pattern) => compiled(`(.*\\.)?(${pattern})`, 'layers_pattern'));
  return (name) => {
    const [, path, layer] = /^([^\d]*)\.(\d+)\./.exec(name) ?? [];
    if (path === undefined) return false;
    return layers.has(Number(layer)) && (patterns.length === 0 || patterns.some((matches) => matches(path)));
  };
}

/** The value of the first pattern of `key` that is the end of a module's name, or undefined. */
function patternsAt(given: JsonObject, key: string): (name: string) => number | undefined {
  const stated = given.get(key) ?? {};
  const entries: [string, unknown][] = typeof stated === 'object' && stated !== null ? Object.entries(stated) : [];
  if (entries.length > MAX_PATTERNS)
    throw new PatternError(`${key} has ${entries.length} patterns; at most ${MAX_PATTERNS} are read`);
  let real = 0;
  const tests = entries.map(([pattern, value]) => {
    const plain = /^\^?[\w-]+(\\?\.[\w-]+)*$/.test(pattern);
    if (!plain && ++real > MAX_REAL_PATTERNS)
      throw new PatternError(`${key} has more than ${MAX_REAL_PATTERNS} regular expressions, the most that are read`);
    if (!plain) return { matches: compiled(`(.*\\.)?(${pattern})`, key), value };
    const name = pattern.replace('^', '').replaceAll('\\', '');
    return { matches: (given: string) => given === name || (pattern[0] !== '^' && given.endsWith(`.${name}`)), value };
  });
  return (name) => {
    const found = tests.find(({ matches }) => matches(name))?.value;
    return typeof found === 'number' ? found : undefined;
  };
}

function compiled(pattern: string, key: string): (text: string) => boolean {
  try {
    return compilePattern(pattern);
  } catch (error) {
    if (error instanceof PatternError)
      throw new PatternError(`${key} has a pattern that cannot be read here: ${error.message}`);
    throw error;
  }
}

function numberAt(given: JsonObject, key: string): number | undefined {
  const value = given.get(key);
  return typeof value === 'number' ? value : undefined;
}

function textAt(given: JsonObject, key: string): string | null {
  const value = given.get(key);
  return typeof value === 'string' && value !== '' ? value : null;
}

function listAt(given: JsonObject, key: string): readonly string[] {
  const value = given.get(key) ?? [];
  return (Array.isArray(value) ? value : [value]).filter((entry): entry is string => typeof entry === 'string');
}
