import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  LoraSettingsSchema,
  ModelSourceSchema,
  PLAIN_TRAINING,
  POLICIES,
  TrainingSettingsSchema,
} from '../../signaling/protocol/settings.ts';
import { POLICY_HINTS, TASK_CHOICES } from '../../web/page/parts/choices.ts';
import type { Field, StartForm } from '../../web/page/start/form-fields.ts';
import { recipeFields, withModel, withTask } from '../../web/page/start/recipe-fields.ts';
import { checkStartForm, DEFAULT_FORM, FOLDS } from '../../web/page/start/start-form.ts';
import { EMPTY_TABLE, guessedColumns } from '../../web/page/table/own-table.ts';
import { TASKS as WORKER_TASKS } from '../../worker/data/tasks.ts';
import { previewTable } from '../../worker/table/columns/preview.ts';
import { readTable } from '../../worker/table/read-table.ts';

const ORIGIN = 'http://localhost:8787';
const form = (change: Partial<StartForm> = {}): StartForm => ({ ...DEFAULT_FORM, name: 'Linen Shuttle', ...change });
const problemsOf = (change: Partial<StartForm>) => {
  const checked = checkStartForm(form(change), ORIGIN);
  return checked.ok ? {} : checked.problems;
};

describe('checkStartForm', () => {
  it('takes the defaults as they are', () => {
    expect(checkStartForm(form(), ORIGIN)).toEqual({
      ok: true,
      choice: {
        request: {
          model: { kind: 'embedded', id: 'roberta-mini' },
          weights: 'f32',
          task: { id: 'grammar', endpoint: '' },
          lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
          training: {
            ...PLAIN_TRAINING,
            maxGradientNorm: 1,
            rounds: 60,
            samplesPerRound: 32,
            maxTokens: 64,
            learningRate: 0.005,
            weightDecay: 0.01,
            warmupFraction: 0.06,
            dropout: 0,
            evaluateEvery: 10,
            seed: 1,
          },
          origin: ORIGIN,
        },
        options: { name: 'Linen Shuttle', policy: 'auto', slowdown: 1, patience: 0, audits: 0.08 },
      },
    });
  });

  it('gives training the memory that was typed, and rounds hidden states where that was chosen', () => {
    const optionsOf = (change: Parameters<typeof form>[0]) => {
      const checked = checkStartForm(form(change), ORIGIN);
      if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
      return checked.choice.options;
    };
    expect(optionsOf({ memory: '300' }).memoryBytes).toBe(300e6);
    expect(optionsOf({ memory: ' 1,5 MB', hiddenStates: 'f16' })).toMatchObject({
      memoryBytes: 1.5e6,
      hiddenStates: 'f16',
    });
  });

  it('rounds gradients on their way where that was chosen', () => {
    const checked = checkStartForm(form({ uploads: 'int8' }), ORIGIN);
    expect(checked.ok && checked.choice.request.training.uploads).toBe('int8');
    expect(form({}).uploads).toBe('f32');
  });

  it('makes settings that the protocol accepts', () => {
    const checked = checkStartForm(
      form({
        model: 'hub',
        repository: ' FacebookAI/roberta-large ',
        task: 'sst2',
        targets: ['value', 'query'],
        learningRate: '5e-4',
        warmupPercent: '12,5',
      }),
      ORIGIN,
    );
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    const { model, lora, training, task } = checked.choice.request;
    expect(v.parse(ModelSourceSchema, model)).toMatchObject({
      id: 'FacebookAI/roberta-large',
      endpoint: 'https://huggingface.co',
    });
    expect(v.parse(LoraSettingsSchema, lora).targets).toEqual(['query', 'value']);
    expect(v.parse(TrainingSettingsSchema, training)).toMatchObject({ learningRate: 5e-4, warmupFraction: 0.125 });
    expect(task).toEqual({ id: 'sst2', endpoint: 'https://huggingface.co' });
  });

  it.each<[Partial<StartForm>, Field, string]>([
    [{ name: '   ' }, 'name', 'Give this device a name'],
    [{ name: 'x'.repeat(41) }, 'name', 'this one has 41'],
    [{ rank: '' }, 'rank', 'the field is empty'],
    [{ rank: '8.5' }, 'rank', 'The rank must be a whole number from 1 to 256; this is “8.5”.'],
    [{ rank: '512' }, 'rank', 'from 1 to 256'],
    [{ learningRate: '0' }, 'learningRate', 'The learning rate must be a number above 0 and at most 1; this is “0”.'],
    [{ learningRate: 'fast' }, 'learningRate', 'this is “fast”'],
    [{ rounds: '-3' }, 'rounds', 'from 1 to 1,000,000'],
    [{ seed: '1e99' }, 'seed', 'from 0 to 4,294,967,295'],
    [{ maxTokens: '256' }, 'maxTokens', 'roberta-mini reads 128 tokens at most.'],
    [{ targets: [] }, 'targets', 'at least one projection'],
    [{ layers: '1,x' }, 'layers', 'such as 1,3 or 4-7, or the last ones, such as top:2'],
    [{ rankPattern: '3:0' }, 'rankPattern', 'Give a layer and its rank, 1 to 256, such as 3:4,5:16.'],
    [{ alphaPattern: '3' }, 'alphaPattern', 'Give a layer and its alpha'],
    [{ model: 'hub', repository: 'not a repository' }, 'repository', 'FacebookAI/roberta-base'],
    [{ model: 'hub', repository: '../secrets' }, 'repository', 'FacebookAI/roberta-base'],
    [{ model: 'hub', revision: '..' }, 'revision', 'branch, tag or commit'],
    [{ model: 'hub', endpoint: 'file:///etc' }, 'endpoint', 'http:// or https://'],
    [{ task: 'sst2', endpoint: 'huggingface.co' }, 'endpoint', 'http:// or https://'],
    [{ task: 'sst2', endpoint: 'ftp://hub' }, 'endpoint', 'http:// or https://'],
    [{ slowdown: '0.5' }, 'slowdown', 'from 1 to 100'],
    [{ memory: 'much' }, 'memory', '1 to 64000 megabytes, or empty'],
    [{ memory: '0.3' }, 'memory', '1 to 64000 megabytes, or empty'],
    [{ patience: '3', evaluateEvery: '0' }, 'evaluateEvery', 'Stopping early needs scores'],
    [{ startFrom: 'adapter' }, 'adapterFiles', 'Choose adapter_model.safetensors and adapter_config.json'],
    [{ task: 'own' }, 'ownTrain', 'Choose a table'],
  ])('refuses %j', (change, field, part) => {
    const problems = problemsOf(change);
    expect(Object.keys(problems)).toEqual([field]);
    expect(problems[field]).toContain(part);
  });

  it('hands over which layers have adapters, and what is their own', () => {
    const checked = checkStartForm(
      form({ layers: 'top:3', rankPattern: '4:2, 5:16', alphaPattern: '3:8.5', rslora: true }),
      ORIGIN,
    );
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    expect(checked.choice.request.lora).toEqual({
      rank: 8,
      alpha: 16,
      targets: ['query', 'value'],
      layers: { top: 3 },
      rankPattern: { 4: 2, 5: 16 },
      alphaPattern: { 3: 8.5 },
      rslora: true,
    });
  });

  it('hands over a person’s own table, an adapter to start from, the storage and the patience', async () => {
    const bytes = new TextEncoder().encode('text,label\na,yes\nb,no\n');
    const preview = previewTable(await readTable('mine.csv', bytes));
    const adapter = [{ name: 'adapter_model.safetensors', bytes: new Uint8Array(8) }];
    const checked = checkStartForm(
      form({
        task: 'own',
        own: {
          ...EMPTY_TABLE,
          title: 'Mine',
          train: { kind: 'read', file: { name: 'mine.csv', bytes }, preview },
          ...guessedColumns(preview),
        },
        startFrom: 'adapter',
        adapterFiles: adapter,
        weights: 'int8',
        patience: '3',
      }),
      ORIGIN,
    );
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    expect(checked.choice.request).toMatchObject({
      weights: 'int8',
      task: { id: 'own', endpoint: '', own: { title: 'Mine', columns: { text: 'text', pair: null, label: 'label' } } },
      start: { kind: 'adapter', files: adapter },
    });
    expect(checked.choice.options.patience).toBe(3);
  });

  it('leaves the files out that another choice has hidden', () => {
    const adapter = [{ name: 'notes.bin', bytes: new Uint8Array(8) }];
    const checked = checkStartForm(form({ adapterFiles: adapter, own: { ...EMPTY_TABLE, title: 'x' } }), ORIGIN);
    expect(checked.ok && checked.choice.request.start).toBeUndefined();
    expect(checked.ok && checked.choice.request.task.own).toBeUndefined();
  });

  it('tells all problems at once', () => {
    expect(Object.keys(problemsOf({ name: '', rank: 'x', dropout: '2' })).toSorted()).toEqual([
      'dropout',
      'name',
      'rank',
    ]);
  });

  it('does not judge fields that are not used', () => {
    expect(problemsOf({ repository: '', revision: '', endpoint: 'nowhere' })).toEqual({});
    expect(problemsOf({ model: 'hub', maxTokens: '256' })).toEqual({});
  });

  it('has every number field under one fold at most', () => {
    const folded = Object.values(FOLDS).flat();
    expect(new Set(folded).size).toBe(folded.length);
    expect(folded.every((field) => field in form())).toBe(true);
  });
});

describe('choices', () => {
  it('offer the tasks that the host’s worker knows', () => {
    expect(TASK_CHOICES.map((task) => task.id)).toEqual(WORKER_TASKS.map((task) => task.id));
    for (const task of TASK_CHOICES)
      expect(task.from === 'embedded').toBe(WORKER_TASKS.find(({ id }) => id === task.id)?.source.kind === 'grammar');
  });

  it('explain every policy, each in its own words', () => {
    const hints = POLICIES.map((policy) => POLICY_HINTS[policy]);
    expect(new Set(hints).size).toBe(POLICIES.length);
  });
});

describe('recipes', () => {
  it('fill the form for every task that is offered', () => {
    for (const { id } of [...TASK_CHOICES, { id: 'own' }]) {
      const filled = withTask(form(), id);
      expect(filled).toMatchObject(recipeFields({ model: filled.model, task: id }));
    }
  });

  it('make the defaults of the form those of its first task', () => {
    expect(DEFAULT_FORM).toMatchObject(recipeFields(DEFAULT_FORM));
  });

  it('leave what the person has typed, and come back with the task', () => {
    const typed = form({ rounds: '77' });
    const mrpc = withTask(typed, 'mrpc');
    expect(mrpc.rounds).toBe('77');
    expect(mrpc.maxTokens).toBe('96');
    expect(mrpc.evaluateEvery).toBe('50');
    expect(withTask(mrpc, typed.task)).toEqual(typed);
  });

  it('know that a wide model wants smaller steps', () => {
    const hub = withModel(form(), 'hub');
    expect(Number(hub.learningRate)).toBeLessThan(Number(form().learningRate));
    expect(withModel(hub, 'roberta-mini')).toEqual(form());
  });
});
