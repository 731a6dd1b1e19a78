import { describe, expect, it } from 'vitest';
import type { TaskKind } from '../../signaling/protocol/scores.ts';
import { FilePrediction } from '../../worker/score/file-prediction.ts';
import { readTable } from '../../worker/table/read-table.ts';

/** Every text is one token: its length. */
const answering = (kind: TaskKind, classNames: readonly string[]) => ({
  kind,
  labelCount: Math.max(1, classNames.length),
  classNames,
  threshold: 0.5,
  tokens: (texts: readonly { readonly text: string; readonly pair: string | null }[]) => ({
    ids: Int32Array.from(texts, ({ text, pair }) => text.length + (pair?.length ?? 0)),
    lengths: new Int32Array(texts.length).fill(1),
    labels: new Float32Array(texts.length),
    positions: new Int32Array(texts.length),
    tokens: 1,
  }),
});
const table = (text: string) => readTable('a.csv', new TextEncoder().encode(text));

describe('a file that is predicted', () => {
  it('keeps every row and its place, with a reason where there is no answer', async () => {
    const rows = await table('id,text\n1,good\n2,\n3,"so\nso"\n4,bad,too much\n5,ok\n');
    const file = new FilePrediction(rows, { text: 'text', pair: null }, answering('classification', ['no', 'y,"es']));
    expect(file.header()).toBe('label,p_no,"p_y,""es",left_out\n');
    const next = file.next();
    expect(next?.rows).toBe(5);
    expect([...(next?.batch?.ids ?? [])]).toEqual([4, 5, 2]);
    expect(file.lines(Float32Array.of(0, Math.log(3), Math.log(9), 0, 0, 0)).split('\n')).toEqual([
      '"y,""es",0.25,0.75,',
      ',,,an empty text',
      'no,0.9,0.1,',
      expect.stringMatching(/^,,,.+/),
      'no,0.5,0.5,',
      '',
    ]);
    expect(file.next()).toBeNull();
  });

  it('comes in batches, of which one may have nothing to ask', async () => {
    const rows = await table(`text,b\n${'x,1\n'.repeat(64)}${',1\n'.repeat(64)}y,1\n`);
    const file = new FilePrediction(rows, { text: 'text', pair: 'b' }, answering('regression', []));
    expect(file.header()).toBe('label,left_out\n');
    const seen: (number | null)[] = [];
    let out = '';
    for (let next = file.next(); next !== null; next = file.next()) {
      const samples = next.batch?.lengths.length ?? 0;
      seen.push(next.batch === null ? null : samples);
      out += file.lines(new Float32Array(samples).fill(1.5));
    }
    expect(seen).toEqual([64, null, 1]);
    expect(out.split('\n')).toEqual([
      ...new Array(64).fill('1.5,'),
      ...new Array(64).fill(',an empty text'),
      '1.5,',
      '',
    ]);
  });

  it('names several labels with bars, and a missing column in a sentence', async () => {
    const rows = await table('text,b\nx,1\n');
    const file = new FilePrediction(rows, { text: 'text', pair: null }, answering('multi-label', ['a', 'b', 'c']));
    file.next();
    expect(file.lines(Float32Array.of(Math.log(3), -Math.log(4), 0))).toBe('a|c,0.75,0.2,0.5,\n');
    expect(() => new FilePrediction(rows, { text: 'body', pair: null }, answering('regression', []))).toThrow(
      'a.csv has no column "body"; it has text, b.',
    );
  });
});
