import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ExportForm, HostRequest } from '../../../worker/api/host-api.ts';
import type { NamedFile } from '../../../worker/api/tables.ts';
import { defaultCacheFolder } from '../../../worker/node/file-chunk-store.ts';
import { keyFileOf } from '../../node/node-environment.ts';
import { DOORS } from '../../protocol/door.ts';
import { MAX_DEVICES_IN_ROOM } from '../../protocol/limits.ts';
import { POLICIES, type Policy, WEIGHT_STORAGES } from '../../protocol/settings.ts';
import { HIDDEN_STATES, type HiddenStates } from '../../protocol/split.ts';
import { ENGINE_CHOICES, type EngineChoice } from '../../protocol/words/engines.ts';
import { recipeFor } from '../../protocol/words/recipes.ts';
import { localModelId } from '../../server/page.ts';
import {
  byteCount,
  CommandError,
  cacheFolder,
  LEAST_MEMORY_BYTES,
  MOST_MEMORY_BYTES,
  oneOf,
  readArguments,
  wholeNumber,
} from '../command-line.ts';
import { ADAPTER_HELP, ADAPTER_OPTIONS, readLora } from './adapter-options.ts';
import type { DemoDoor } from './demo-door.ts';
import { refuseRepository } from './model-option.ts';
import { bytesOf, readOwnTask, TABLE_HELP, TABLE_OPTIONS } from './table-options.ts';
import {
  readAuditShare,
  readMinutes,
  readPatience,
  readTraining,
  TRAINING_HELP,
  TRAINING_OPTIONS,
} from './training-options.ts';

const EMBEDDED_MODEL = 'roberta-mini';
/** As Hugging Face's own libraries are told of another one. */
const DEFAULT_HUB = process.env.HF_ENDPOINT || 'https://huggingface.co';
const EXPORT_FORMS = ['adapter', 'merged', 'onnx'] as const;

export const DEMO_HELP = `Usage: tabloom demo [options]

A whole session on this machine: server, host and headless devices of different speeds fine-tune together over WebRTC.

What is trained
  --task T           grammar (embedded sentiment), or a GLUE task such as sst2 from a hub (grammar)
  --hub URL|FOLDER   Hugging Face endpoint, or a folder with the hub's layout (${DEFAULT_HUB})
${TABLE_HELP}  --model M          roberta-mini (embedded), a hub repository such as FacebookAI/roberta-base, or a folder with a
                     model's files (roberta-mini)
  --revision R       of the hub's repository: a branch, a tag or a commit (main)
  --weights W        how devices keep the frozen weights: ${WEIGHT_STORAGES.join(', ')} (f32)
  --cache FOLDER     where models of a hub are kept for the next time, or none
                     (${defaultCacheFolder()})
  --start PATH       go on from an adapter: a PEFT folder, or a checkpoint of the original LoRA release (.safetensors)

How
  --devices N        headless devices beside the host (3)
  --policy P         ${POLICIES.join(', ')} (auto)
  --memory SIZES     the most memory that training may take on a device, such as 300MB; several with commas for the host and
                     the devices in their order, the last for all that follow (2GB)
  --engine E         ${ENGINE_CHOICES.join(', ')}: what the devices compute on (auto: whatever is quicker here)
  --embeddings int8  keep the embeddings' tables in 8 bits, whatever the weights are kept in
  --hidden-states S  what hidden states are rounded to between devices that split the model: ${HIDDEN_STATES.join(', ')} (f32)
${TRAINING_HELP}${ADAPTER_HELP}  --compare-single   afterwards train on one device with the same seed and compare the losses

Who comes in
  --door DOOR        link: who has the link; ask: whom you let in, here on the terminal; open: who has the code;
                     locked: nobody (link)
  --cap N            devices at most, the host among them (${MAX_DEVICES_IN_ROOM})
  --admit-all        let in whoever waits, without asking
  --give-table       give a table of one's own, every row of it, to all devices that have the link, so that one of them can
                     go on when the host is gone; without it the session waits for its host

What is kept
  --out FOLDER       where the adapter goes (out/demo-adapter)
  --export-as FORMS  ${EXPORT_FORMS.join(', ')}, or several with commas; what is no adapter goes to a folder in FOLDER, and the
                     adapter is always there (adapter)
  --best             export what scored best on the dev set, not what the last round left
  --checkpoint FILE  save the session there as it goes (a file in the folder of --out, which goes when everything is written);
                     FILE.key, which makes its owner the host, is for nobody else
  --resume FILE      go on from a checkpoint, and keep it there again; without FILE.key in a new session
  --log FILE         the run as JSON lines, appended as it goes: settings, plans, rounds, scores, who came and went

  --port N           port of the server (8787; 0 takes a free one)
  --host ADDRESS     interface of the server (127.0.0.1)
  --json             print the result as JSON; progress goes to the standard error
  --help             show this
`;

/** The session's own options: a checkpoint has its own. */
const SESSION_OPTIONS = {
  task: { type: 'string' },
  ...TABLE_OPTIONS,
  model: { type: 'string' },
  revision: { type: 'string' },
  weights: { type: 'string' },
  start: { type: 'string' },
  ...TRAINING_OPTIONS,
  ...ADAPTER_OPTIONS,
  policy: { type: 'string' },
  embeddings: { type: 'string' },
  'hidden-states': { type: 'string' },
  'compare-single': { type: 'boolean' },
  checkpoint: { type: 'string' },
} as const;

const OPTIONS = {
  ...SESSION_OPTIONS,
  hub: { type: 'string', default: DEFAULT_HUB },
  cache: { type: 'string', default: defaultCacheFolder() },
  devices: { type: 'string', default: '3' },
  memory: { type: 'string', default: '2GB' },
  engine: { type: 'string', default: 'auto' },
  out: { type: 'string', default: 'out/demo-adapter' },
  'export-as': { type: 'string', default: 'adapter' },
  best: { type: 'boolean', default: false },
  resume: { type: 'string' },
  log: { type: 'string' },
  door: { type: 'string' },
  cap: { type: 'string' },
  'admit-all': { type: 'boolean', default: false },
  'give-table': { type: 'boolean', default: false },
  port: { type: 'string', default: '8787' },
  host: { type: 'string', default: '127.0.0.1' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>['values'];

export interface DemoOptions {
  readonly deviceCount: number;
  /** Of the host and the devices in their order; the last for all that follow. */
  readonly memoryBytes: readonly number[];
  readonly engine: EngineChoice;
  /** A folder that the server offers as a hub, or null. */
  readonly hubFolder: string | null;
  /** A model's own folder, which the server offers as well, or null. */
  readonly modelFolder: string | null;
  /** Where models of a hub are kept; null keeps none. */
  readonly cacheFolder: string | null;
  /** `fresh` makes the request for a server at `origin`, which may be its hub. */
  readonly session:
    | {
        readonly kind: 'fresh';
        readonly request: (origin: string) => HostRequest;
        readonly policy: Policy;
        readonly patience: number;
        readonly hiddenStates: HiddenStates;
        readonly embeddings?: 'int8';
        readonly audits: number;
        readonly minutes: number | null;
      }
    | { readonly kind: 'checkpoint'; readonly bytes: Uint8Array; readonly key: string | null };
  readonly compareSingle: boolean;
  readonly out: string;
  readonly forms: readonly ExportForm[];
  readonly which: 'last' | 'best';
  /** Null where the person named none. */
  readonly checkpointFile: string | null;
  /** What to type to go on from a checkpoint. */
  readonly again: (checkpointFile: string) => string;
  readonly logFile: string | null;
  readonly door: DemoDoor;
  /** Every device with the link is given a table of one's own. */
  readonly giveTable: boolean;
  readonly port: number;
  readonly host: string;
  readonly json: boolean;
}

/** Null when help was asked for. @throws CommandError */
export async function readDemoOptions(argv: string[]): Promise<DemoOptions | null> {
  const { values } = readArguments(argv, OPTIONS, { min: 0, max: 0 });
  if (values.help) return null;
  const { resume, checkpoint } = values;
  if (values['give-table'] && resume === undefined && values.train === undefined)
    throw new CommandError("--give-table is about a table of one's own; give it with --train.");
  const hubFolder = /^https?:\/\//.test(values.hub) ? null : values.hub;
  const modelFolder = values.model !== undefined && existsSync(join(values.model, 'config.json')) ? values.model : null;
  const common = {
    deviceCount: wholeNumber('devices', values.devices, 0, 32),
    memoryBytes: values.memory
      .split(',')
      .map((size) => byteCount('memory', size, LEAST_MEMORY_BYTES, MOST_MEMORY_BYTES)),
    engine: oneOf('engine', values.engine, ENGINE_CHOICES),
    hubFolder,
    modelFolder,
    // A folder needs no copy beside it.
    cacheFolder: hubFolder === null && modelFolder === null ? cacheFolder(values.cache) : null,
    out: values.out,
    forms: exportForms(values['export-as']),
    which: values.best ? 'best' : 'last',
    logFile: values.log ?? null,
    door: readDoor(values),
    giveTable: values['give-table'],
    port: wholeNumber('port', values.port, 0, 65535),
    host: values.host,
    json: values.json,
    again: (file) => againCommand(argv, file),
  } as const satisfies Partial<DemoOptions>;
  if (resume !== undefined) {
    // A model's own folder is offered again: the checkpoint does not say where it is.
    const given = Object.keys(SESSION_OPTIONS).find(
      (name) => Object.hasOwn(values, name) && !(name === 'model' && modelFolder !== null),
    );
    if (given !== undefined)
      throw new CommandError(`--resume goes on with the session as it was; leave out --${given}.`);
    const keyFile = keyFileOf(resume);
    const key = existsSync(keyFile) ? new TextDecoder().decode(await bytesOf(keyFile)) : null;
    const session = { kind: 'checkpoint', bytes: await bytesOf(resume), key } as const;
    return { ...common, session, compareSingle: false, checkpointFile: resume };
  }
  if (checkpoint !== undefined && existsSync(checkpoint))
    throw new CommandError(`${checkpoint} is there already; go on with it by --resume ${checkpoint}, or remove it.`);
  if (checkpoint !== undefined && existsSync(keyFileOf(checkpoint)))
    throw new CommandError(`${keyFileOf(checkpoint)}, the key of another session, is there already; move it away.`);
  if (values.minutes !== undefined && values['compare-single'] === true)
    throw new CommandError(
      '--compare-single compares rounds that are said before; give --rounds in place of --minutes.',
    );
  return {
    ...common,
    session: {
      kind: 'fresh',
      request: await readRequest(values, hubFolder),
      policy: oneOf('policy', values.policy ?? 'auto', POLICIES),
      patience: readPatience(values),
      ...(values.embeddings !== undefined && { embeddings: oneOf('embeddings', values.embeddings, ['int8']) }),
      hiddenStates: oneOf('hidden-states', values['hidden-states'] ?? 'f32', HIDDEN_STATES),
      audits: readAuditShare(values),
      minutes: readMinutes(values),
    },
    compareSingle: values['compare-single'] ?? false,
    checkpointFile: checkpoint ?? null,
  };
}

/** Null where a session that is gone on with has its own. */
function readDoor({ door, cap, resume, 'admit-all': admitAll, devices }: Values): DemoDoor {
  const chosen = door === undefined ? null : oneOf('door', door, DOORS);
  const fresh = resume === undefined;
  if (chosen === 'ask' && !admitAll && process.stdin.isTTY !== true)
    throw new CommandError('--door ask asks on a terminal whom to let in, and this is none. Give --admit-all.');
  if (chosen === 'locked' && devices !== '0')
    throw new CommandError('--door locked lets nobody in, the demo’s own devices neither. Give --devices 0.');
  return {
    door: chosen ?? (fresh ? 'link' : null),
    cap: cap === undefined ? (fresh ? MAX_DEVICES_IN_ROOM : null) : wholeNumber('cap', cap, 2, MAX_DEVICES_IN_ROOM),
    admitAll,
  };
}

/** The adapter first, whatever was asked for: it is what was trained, and the smallest. */
function exportForms(text: string): readonly ExportForm[] {
  const asked = text.split(',').map((form) => oneOf('export-as', form.trim(), EXPORT_FORMS));
  return EXPORT_FORMS.filter((form) => form === 'adapter' || asked.includes(form));
}

const isFolder = (name: string, value: string): boolean => name === 'model' && existsSync(join(value, 'config.json'));

/** The same command from a checkpoint: what the session has of its own is left out. */
function againCommand(argv: readonly string[], checkpointFile: string): string {
  const kept: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const [flag = '', inline] = argv[i]!.split(/=(.*)/s);
    const name = flag.slice(2);
    const known: Readonly<Record<string, { readonly type: string }>> = OPTIONS;
    const value = inline ?? (known[name]?.type === 'string' ? argv[++i] : undefined);
    if (name === 'resume' || (Object.hasOwn(SESSION_OPTIONS, name) && !isFolder(name, value ?? ''))) continue;
    kept.push(flag, ...(value === undefined ? [] : [value]));
  }
  return ['npm run -s tabloom -- demo --resume', checkpointFile, ...kept].map(shellWord).join(' ');
}

/** As a POSIX shell takes it back; the first is several words already. */
const shellWord = (text: string, index: number): string =>
  index === 0 || /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

async function readRequest(values: Values, hubFolder: string | null): Promise<(origin: string) => HostRequest> {
  const own = await readOwnTask(values);
  const weights = oneOf('weights', values.weights ?? 'f32', WEIGHT_STORAGES);
  const { model = EMBEDDED_MODEL, revision = 'main' } = values;
  if (values.revision !== undefined && (model === EMBEDDED_MODEL || existsSync(join(model, 'config.json'))))
    throw new CommandError(`--revision is about a repository of a hub; ${model} is none.`);
  if (model !== EMBEDDED_MODEL && !existsSync(join(model, 'config.json')))
    refuseRepository(model, DEFAULT_HUB, revision);
  const task = own === null ? (values.task ?? 'grammar') : 'own';
  const recipe = recipeFor(task, model === EMBEDDED_MODEL ? 'mini' : 'base');
  const training = readTraining(values, recipe.training);
  const lora = readLora(values, recipe.lora);
  const start =
    values.start === undefined ? null : { kind: 'adapter' as const, files: await adapterFiles(values.start) };
  return (origin) => {
    const endpoint = hubFolder === null ? values.hub.replace(/\/+$/, '') : `${origin}/hub`;
    return {
      model:
        model === EMBEDDED_MODEL
          ? { kind: 'embedded', id: EMBEDDED_MODEL }
          : existsSync(join(model, 'config.json'))
            ? { kind: 'hub', id: localModelId(model), endpoint: `${origin}/hub`, revision: 'main' }
            : { kind: 'hub', id: model, endpoint, revision },
      weights,
      task: own === null ? { id: task, endpoint } : { id: 'own', endpoint: '', own },
      lora,
      training,
      origin,
      ...(start && { start }),
    };
  };
}

/** A folder's files that belong to an adapter, or the one file. */
async function adapterFiles(path: string): Promise<readonly NamedFile[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [{ name: basename(path), bytes: await bytesOf(path) }];
  const names = (await readdir(path)).filter((name) => /^adapter_(config\.json|model\.(safetensors|bin))$/.test(name));
  return Promise.all(names.map(async (name) => ({ name, bytes: await bytesOf(join(path, name)) })));
}
