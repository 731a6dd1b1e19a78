import { describe, expect, it } from 'vitest';
import { adapterCard, mergedModelCard, onnxModelCard } from '../../worker/adapter/model-card.ts';
import type { TrainedAdapter } from '../../worker/adapter/trained-adapter.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { SETTINGS } from '../protocol/samples.ts';

const NAMES = ['yes | no', 'two\nlines', '</td><script>alert(1)</script>', '`code`', 'a "quoted" one', 'très 😀'];
const { model, shape, lora, training } = SETTINGS;
const task = { ...SETTINGS.task, title: 'odd | <b>table</b>.csv', labelCount: NAMES.length, classNames: NAMES };
const layout = parameterLayout(shape, lora, NAMES.length);
const adapter: TrainedAdapter = {
  model,
  task,
  lora,
  training,
  layout,
  values: new Float32Array(layout.length),
  rounds: 3,
  devices: 2,
  scores: [],
};

/** Cells of a line of a Markdown table: bars that are not escaped part them. */
const cells = (line: string): readonly string[] => line.split(/(?<!\\)\|/).slice(1, -1);

describe.each([
  ['an adapter', adapterCard],
  ['a merged model', mergedModelCard],
  ['an ONNX model', onnxModelCard],
])('the card of %s', (_, card) => {
  it('has one table of two columns, whatever classes are called', () => {
    const lines = card(adapter).split('\n');
    const table = lines.filter((line) => line.startsWith('|'));
    expect(table.map((line) => cells(line).length)).toEqual(table.map(() => 2));
    // The lines of a table stand together; a name with a line break would part them.
    const first = lines.indexOf(table[0]!);
    expect(lines.slice(first, first + table.length)).toEqual(table);
    expect(table.find((line) => line.startsWith('| classes'))).toContain('0 yes \\| no, 1 two\\\\nlines, 2 \\</td\\>');
  });

  it('takes no tag, no code and no table from a name', () => {
    const prose = card(adapter).replace(/```[\s\S]*?```/g, '');
    expect(prose).not.toMatch(/(?<!\\)</);
    expect(prose).toContain('\\`code\\`');
    expect(prose).toContain('# odd \\| \\<b\\>table\\</b\\>.csv:');
  });
});

describe('what a card says of the training', () => {
  /** The rows of its table by their names. */
  const rows = (change: Partial<TrainedAdapter>): Record<string, string> =>
    Object.fromEntries(
      adapterCard({ ...adapter, ...change })
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .map((line) => cells(line).map((cell) => cell.trim()) as [string, string]),
    );
  const lineOf = (scores: TrainedAdapter['scores'], devExamples = 80): string =>
    adapterCard({ ...adapter, task: { ...task, devExamples }, scores })
      .split('\n')
      .find((line) => line.startsWith('Dev ') || line.startsWith('It has'))!;

  it('is all of the recipe', () => {
    const plain: TrainedAdapter['training'] = {
      ...{ ...training, rounds: 20, samplesPerRound: 16, maxTokens: 64, learningRate: 0.00123456, weightDecay: 0.01 },
      ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, loraPlusRatio: 1, maxGradientNorm: 0, warmupFraction: 0.125 },
      ...{ schedule: 'linear', classWeights: null, labelSmoothing: 0, dropout: 0.1, seed: 7 },
    };
    expect(rows({ training: plain })).toMatchObject({
      task: 'odd \\| \\<b\\>table\\</b\\>.csv, 100 training examples',
      rounds: '3 of 20, 16 samples each, at most 64 tokens',
      optimiser: 'AdamW, learning rate 0.001235, weight decay 0.01, betas 0.9 and 0.999, epsilon 1e-8, no clipping',
      schedule: 'linear warm-up over 12.5 % of the rounds, then linear decay',
      loss: 'cross-entropy',
      dropout: '0.1',
      seed: '7',
    });
    const full: TrainedAdapter['training'] = {
      ...{ ...plain, loraPlusRatio: 16, maxGradientNorm: 1.5, schedule: 'cosine', labelSmoothing: 0.05 },
      classWeights: [1, 2.34567],
    };
    expect(rows({ training: full })).toMatchObject({
      optimiser:
        'AdamW, learning rate 0.001235, 16 times that for B and biases (LoRA+), weight decay 0.01, betas 0.9 and 0.999, epsilon 1e-8, gradients clipped to norm 1.5',
      schedule: 'linear warm-up over 12.5 % of the rounds, then cosine decay',
      loss: 'cross-entropy, class weights 1, 2.346, label smoothing 0.05',
    });
    expect(rows({ task: { ...task, kind: 'regression', labelCount: 1, classNames: [] } })).toMatchObject({
      loss: 'squared error',
      output: 'one number',
    });
    expect(rows({ task: { ...task, kind: 'multi-label' } }).loss).toBe('binary cross-entropy of each label');
  });

  it('is where its base model comes from, and how many devices took part', () => {
    expect(rows({})['base model']).toBe('`roberta-mini`, which comes with Tabloom');
    const hub = { kind: 'hub', id: 'a/b', endpoint: 'http://127.0.0.1:1', revision: 'v2' } as const;
    expect(rows({ model: hub })['base model']).toBe('`a/b` (revision `v2`)');
    const by = (devices: number) => /(?:Trained|Not trained)[^\n]*/.exec(adapterCard({ ...adapter, devices }))?.[0];
    expect([0, 1, 2].map(by)).toEqual([
      'Not trained yet; made with Tabloom.',
      'Trained on one device with Tabloom.',
      'Trained together by 2 devices with Tabloom.',
    ]);
    expect(adapterCard(adapter)).toContain('\nGive the path of the base model\'s own folder for "roberta-mini".\n');
    expect(adapterCard({ ...adapter, model: hub })).not.toContain('own folder');
  });

  it('is its last score and the first, of how many examples, beside the best constant answer', () => {
    const at = (round: number, value: number, more: object = {}) => ({
      ...{ round, metric: 'accuracy' as const, value, further: [] },
      ...more,
    });
    expect(lineOf([])).toBe('It has not been evaluated.');
    expect(lineOf([at(4, 0.5)])).toBe('Dev accuracy (80 examples): 0.5 after round 4.');
    expect(lineOf([at(0, 0.25), at(2, 0.4), at(4, 0.56789)])).toBe(
      'Dev accuracy (80 examples): 0.5679 after round 4, 0.25 after round 0.',
    );
    expect(lineOf([at(0, 0.25, { examples: 79 }), at(4, 0.5, { examples: 80 })])).toBe(
      'Dev accuracy (80 examples): 0.5 after round 4, 0.25 after round 0 (a sample of 79 of 80 examples).',
    );
    const f1 = { metric: 'f1', devSet: null, value: 0.61234, constant: 0.4 };
    const second = { metric: 'accuracy', devSet: 'mismatched', value: 0.3 };
    expect(lineOf([at(4, 0.5, { examples: 16, constant: 0.45678, further: [f1, second] })])).toBe(
      'Dev accuracy (a sample of 16 of 80 examples): 0.5 after round 4. The best constant answer has 0.4568.' +
        ' F1: 0.6123 (constant answer 0.4). Accuracy on the mismatched dev set: 0.3.',
    );
  });
});
