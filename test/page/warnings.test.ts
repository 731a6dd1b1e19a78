import { describe, expect, it } from 'vitest';
import type { StartForm } from '../../web/page/start/form-fields.ts';
import { DEFAULT_FORM } from '../../web/page/start/start-form.ts';
import { startWarnings } from '../../web/page/start/warnings.ts';
import { EMPTY_TABLE, guessedColumns, type TableFile } from '../../web/page/table/own-table.ts';
import { previewTable } from '../../worker/table/columns/preview.ts';
import { readTable } from '../../worker/table/read-table.ts';

async function file(rows: readonly string[]): Promise<Extract<TableFile, { kind: 'read' }>> {
  const bytes = new TextEncoder().encode(`text\tlabel\n${rows.map((row, i) => `text ${i}\t${row}`).join('\n')}\n`);
  return { kind: 'read', file: { name: 't.tsv', bytes }, preview: previewTable(await readTable('t.tsv', bytes)) };
}
async function own(rows: readonly string[], dev: readonly string[] | null = null): Promise<StartForm> {
  const train = await file(rows);
  const table = { ...EMPTY_TABLE, train, ...guessedColumns(train.preview) };
  return {
    ...DEFAULT_FORM,
    name: 'Loom',
    task: 'own',
    own: { ...table, dev: dev === null ? EMPTY_TABLE.dev : await file(dev) },
  };
}
const alternating = (count: number) => Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'good' : 'bad'));

describe('startWarnings', () => {
  it('has nothing to say of enough rows, of no table, and of other tasks', async () => {
    expect(startWarnings(await own(alternating(400)), 100, 16)).toEqual([]);
    expect(startWarnings({ ...DEFAULT_FORM, task: 'own' }, 100, 16)).toEqual([]);
    expect(startWarnings({ ...(await own(alternating(4))), task: 'grammar' }, 100, 16)).toEqual([]);
  });

  it('warns of few rows, up to the last that is too few', async () => {
    expect(startWarnings(await own(alternating(8)), null, null)).toEqual([
      'Only 8 rows: so few teach a model little but their own accidents. A hundred for each class are a beginning.',
    ]);
    expect(startWarnings(await own(alternating(99), alternating(40)), 1, 1)).toHaveLength(1);
    expect(startWarnings(await own(alternating(100), alternating(40)), 1, 1)).toEqual([]);
  });

  it('names classes of one row, three of them', async () => {
    const rows = [...alternating(400), 'odd'];
    expect(startWarnings(await own(rows), 1, 1)).toEqual([
      '“odd” has one row only: what is set aside to score with cannot be learnt from, too.',
    ]);
    expect(startWarnings(await own([...rows, 'p', 'q', 'r']), 1, 1)).toEqual([
      '“odd”, “p”, “q” and 1 more have one row only: what is set aside to score with cannot be learnt from, too.',
    ]);
  });

  it('counts a class once however its number is spelled', async () => {
    const rows = [...Array.from({ length: 200 }, (_, i) => String(i % 2)), '1.0', '2', '2.0'];
    expect(startWarnings(await own(rows), 1, 1)).toEqual([]);
  });

  it('warns of few examples to score with, and of rows that come very often', async () => {
    expect(startWarnings(await own(alternating(190)), 1, 1)).toEqual([
      'Scores will be of 19 examples: they jump by chance.',
    ]);
    expect(startWarnings(await own(alternating(200)), 1, 1)).toEqual([]);
    expect(startWarnings(await own(alternating(400)), 1000, 20)).toEqual([
      'Every row comes 50 times; fewer rounds may do, or stop early by the score.',
    ]);
    expect(startWarnings(await own(alternating(400)), 1000, 19)).toEqual([]);
  });
});
