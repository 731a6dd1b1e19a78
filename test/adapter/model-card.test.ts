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
