import { describe, expect, it } from 'vitest';
import { flagOf, labelColumns } from '../../signaling/protocol/text/label-columns.ts';
import { readOwnTask } from '../../worker/data/own-task.ts';
import { labelsIn, NO_FLAG, readSeveral, severalReading } from '../../worker/table/columns/several-labels.ts';

const reading = (...cells: string[]) => severalReading(() => cells, 100);

describe('several labels in one cell', () => {
  it.each([
    ['a bar', ['a|b', 'c', ''], '|'],
    ['a semicolon, where there is no bar', ['a;b,c', 'd'], ';'],
    ['a comma', ['a, b', 'c'], ','],
    ['nothing, where each row has one', ['a', 'b'], '|'],
    ['a bar, however late it comes', ['a,b', 'c;d', 'e|f'], '|'],
  ])('are separated by %s', (_, cells, separator) => {
    expect(reading(...cells).separator).toBe(separator);
  });

  it('are the names, each once, in the order of their characters', () => {
    expect(reading('joy|anger', ' fear | joy ', '').names).toEqual(['anger', 'fear', 'joy']);
    expect(labelsIn('b||a|b| ', '|')).toEqual(['b', 'a']);
  });

  it('read as a zero or a one for each, an empty cell as none', () => {
    const known = reading('joy|anger', 'fear');
    expect(readSeveral('fear|anger', known)).toEqual([1, 1, 0]);
    expect(readSeveral('', known)).toEqual([0, 0, 0]);
    expect(readSeveral('joy|love', known)).toEqual({
      reason: 'a label that the training rows do not have',
      example: 'love',
    });
    expect(readSeveral('jo\ufffd', known)).toMatchObject({ reason: 'unreadable bytes in the label' });
  });

  it('stop being counted past the most there may be', () => {
    const cells = Array.from({ length: 50 }, (_, i) => `a${i}|b${i}`);
    expect(severalReading(() => cells, 10).names.length).toBeLessThanOrEqual(12);
  });
});

const table = (text: string) => ({
  title: 'Mine',
  train: { name: 'a.csv', bytes: new TextEncoder().encode(text) },
  dev: { name: 'b.csv', bytes: new TextEncoder().encode('text,label\nso,joy\nno,rage\n') },
  columns: { text: 'text', pair: null, label: 'label' },
  kind: 'multi-label' as const,
});

describe('an own task of several labels', () => {
  it('has label vectors, its metrics, and counts rows of each label', async () => {
    const { task, examples, tables } = await readOwnTask(table('text,label\ngood,joy|love\nbad,anger\nwell,\n'));
    expect(task).toMatchObject({
      kind: 'multi-label',
      labelCount: 3,
      classNames: ['anger', 'joy', 'love'],
      metric: 'f1-micro',
      furtherMetrics: ['f1-macro', 'accuracy'],
    });
    expect(examples.train.map(({ label }) => label)).toEqual([
      [0, 1, 1],
      [1, 0, 0],
      [0, 0, 0],
    ]);
    expect(examples.dev.map(({ label }) => label)).toEqual([[0, 1, 0]]);
    expect(tables[0]!.classes).toEqual([
      { name: 'anger', count: 1 },
      { name: 'joy', count: 1 },
      { name: 'love', count: 1 },
    ]);
    expect(tables[1]!.leftOut).toMatchObject([{ count: 1, lines: [3], example: 'rage' }]);
  });

  it('needs a label, and names that are names', async () => {
    await expect(readOwnTask(table('text,label\ngood,\nbad,\n'))).rejects.toThrow('"label" names no label');
    await expect(readOwnTask(table(`text,label\ngood,${'x'.repeat(70)}\nbad,y\n`))).rejects.toThrow(
      'Separate several labels by |, ; or commas',
    );
  });
});

describe('several labels in columns of 0 and 1', () => {
  const file = (text: string) => ({ name: 'a.csv', bytes: new TextEncoder().encode(text) });
  const flags = (rows: readonly string[]) => file(['text,anger,joy,"a, b"', ...rows].join('\n'));
  const rows = ['one,0,1,0', 'two,1.0,TRUE,1', 'three,0.0,false,1', 'four,2,1,0', 'five,,1,0', 'six,+1,0,0e0'];

  it('are named with commas, in the order in which they are named; a column of that very name goes first', () => {
    expect(labelColumns(['text', 'anger', 'joy'], ' joy, anger,joy')).toEqual(['joy', 'anger']);
    expect(labelColumns(['text', 'anger', 'joy', 'joy,anger'], 'joy,anger')).toBe(null);
    for (const label of ['joy', 'joy,', 'joy,fear', ''])
      expect(labelColumns(['text', 'anger', 'joy'], label)).toBe(null);
  });

  it.each([
    ['1', 1],
    ['1.0', 1],
    [' 1e0 ', 1],
    ['True', 1],
    ['0', 0],
    ['-0', null],
    ['0.0', 0],
    ['no', 0],
    ['', null],
    ['0.5', null],
    ['-1', null],
    ['10', null],
    ['1,0', null],
    ['0x1', null],
  ])('%j is %j', (cell, flag) => {
    expect(flagOf(cell)).toBe(flag);
  });

  it('are a task of several labels; a row with anything else in one of them is left out with the reason', async () => {
    const dev = file('joy,text,anger\n0,other order,1\n1,yes,0');
    const { task, examples, tables } = await readOwnTask({
      ...{ title: 'feelings', train: flags(rows), dev, kind: 'multi-label' },
      columns: { text: 'text', pair: null, label: 'anger, joy' },
    });
    expect(task).toMatchObject({ kind: 'multi-label', labelCount: 2, classNames: ['anger', 'joy'] });
    expect(examples.train.map(({ text, label }) => [text, label])).toEqual([
      ['one', [0, 1]],
      ['two', [1, 1]],
      ['three', [0, 0]],
      ['six', [1, 0]],
    ]);
    expect(examples.dev.map(({ label }) => label)).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(tables[0]).toMatchObject({
      ...{ rows: 6, used: 4 },
      leftOut: [{ reason: NO_FLAG, count: 2, lines: [5, 6], example: 'anger: 2' }],
      classes: [
        { name: 'anger', count: 2 },
        { name: 'joy', count: 2 },
      ],
    });
  });

  it('are refused where a name is too long to be a class', async () => {
    const long = 'x'.repeat(61);
    const train = file(`text,a,${long}\none,0,1`);
    const columns = { text: 'text', pair: null, label: `a,${long}` };
    const asked = readOwnTask({ title: 't', train, dev: null, kind: 'multi-label', columns });
    await expect(asked).rejects.toThrow('at most 60 characters make a name');
  });
});
