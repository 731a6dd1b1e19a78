import { expect, test } from 'vitest';
import { loadTask } from '../../worker/data/load-task.ts';
import { TASKS } from '../../worker/data/tasks.ts';
import { bytesSource, SourceError } from '../../worker/files/byte-source.ts';
import type { OpenFile } from '../../worker/files/open-file.ts';

/** An unpacked archive in memory: what is not in it is not there. */
const archive =
  (files: Readonly<Record<string, string>>): OpenFile =>
  async (url) => {
    const content = files[url.replace('http://127.0.0.1/glue/', '')];
    if (content === undefined) throw new SourceError(`${url} answers 404 (not found).`);
    return bytesSource(new TextEncoder().encode(content));
  };
const load = (id: string, files: Readonly<Record<string, string>>) =>
  loadTask(archive(files), { id, endpoint: 'http://127.0.0.1/glue/' }, () => {});

/** The columns as the archive's files have them, and one row with its example; the row of dev is that of train. */
const MNLI_HEADER =
  'index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label';
const CASES: readonly [id: string, folder: string, dev: string, text: string, example: object][] = [
  ['cola', 'CoLA', 'dev', 'gj04\t0\t*\tThey drank the pub.\n', { text: 'They drank the pub.', pair: null, label: 0 }],
  [
    'sst2',
    'SST-2',
    'dev',
    'sentence\tlabel\n" quoted without an end \t1\n',
    { text: '" quoted without an end ', pair: null, label: 1 },
  ],
  [
    'mrpc',
    'MRPC',
    'dev',
    '\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t70\t71\tHe said so .\tSo he said .\r\n',
    { text: 'He said so .', pair: 'So he said .', label: 1 },
  ],
  [
    'qqp',
    'QQP',
    'dev',
    'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhy?\tHow?\t0\n',
    { text: 'Why?', pair: 'How?', label: 0 },
  ],
  [
    'stsb',
    'STS-B',
    'dev',
    'index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\tg\tf\t2012\t1\ts\ts\tA man.\tA woman.\t2.800\n',
    { text: 'A man.', pair: 'A woman.', label: 2.8 },
  ],
  [
    'mnli',
    'MNLI',
    'dev_matched',
    `${MNLI_HEADER}\n0\t1\t1n\tfiction\t( )\t( )\t(ROOT)\t(ROOT)\tIt rained.\tIt was dry.\tcontradiction\tcontradiction\n`,
    { text: 'It rained.', pair: 'It was dry.', label: 2 },
  ],
  [
    'mnli-mismatched',
    'MNLI',
    'dev_mismatched',
    `${MNLI_HEADER}\n0\t1\t1n\tletters\t( )\t( )\t(ROOT)\t(ROOT)\tIt rained.\tIt was wet.\tneutral\tneutral\n`,
    { text: 'It rained.', pair: 'It was wet.', label: 1 },
  ],
  [
    'qnli',
    'QNLI',
    'dev',
    'index\tquestion\tsentence\tlabel\n0\tWho?\tNobody came.\tnot_entailment\n',
    { text: 'Who?', pair: 'Nobody came.', label: 1 },
  ],
  [
    'rte',
    'RTE',
    'dev',
    'index\tsentence1\tsentence2\tlabel\n0\tIt snowed.\tIt was cold.\tentailment\n',
    { text: 'It snowed.', pair: 'It was cold.', label: 0 },
  ],
  [
    'wnli',
    'WNLI',
    'dev',
    'index\tsentence1\tsentence2\tlabel\n0\tIt fell.\tThe cup fell.\t1\n',
    { text: 'It fell.', pair: 'The cup fell.', label: 1 },
  ],
];

test.each(CASES)('%s reads from the archive’s own files', async (id, folder, dev, text, example) => {
  const { task, examples, tables } = await load(id, { [`${folder}/train.tsv`]: text, [`${folder}/${dev}.tsv`]: text });
  expect(task.id).toBe(id);
  expect(examples).toEqual({ train: [example], dev: [example] });
  expect(tables.map(({ rows, used }) => [rows, used])).toEqual([
    [1, 1],
    [1, 1],
  ]);
});

test('every task of GLUE has such files', () => {
  const glue = TASKS.filter(({ source }) => source.kind === 'glue').map(({ id }) => id);
  expect(CASES.map(([id]) => id).sort()).toEqual([...glue].sort());
});

test('bad rows are counted with their lines, in train and in dev', async () => {
  const { examples, tables } = await load('qqp', {
    'QQP/train.tsv':
      'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhy?\tHow?\t0\n2\t3\tcut short\n3\t4\t5\tWho?\t \t1\n',
    'QQP/dev.tsv':
      'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhy?\tHow?\tmaybe\n2\t3\t4\tAnd?\tSo?\t1\n',
  });
  expect([examples.train.length, examples.dev.length]).toEqual([1, 1]);
  expect(tables.map(({ rows, used, leftOut }) => ({ rows, used, leftOut }))).toEqual([
    {
      rows: 3,
      used: 1,
      leftOut: [
        { reason: 'fewer cells than columns', count: 1, lines: [3], example: '3 instead of 6' },
        { reason: 'an empty text', count: 1, lines: [4], example: null },
      ],
    },
    {
      rows: 2,
      used: 1,
      leftOut: [{ reason: 'a label that the training rows do not have', count: 1, lines: [2], example: 'maybe' }],
    },
  ]);
});

test('CoLA has no row of names: line 1 is a row', async () => {
  const rows = 'a\t1\t\tGood.\nb\t7\t\tOdd.\n';
  const { tables } = await load('cola', { 'CoLA/train.tsv': rows, 'CoLA/dev.tsv': 'a\t1\t\tGood.\n' });
  expect(tables[0]).toMatchObject({ rows: 2, used: 1, leftOut: [{ count: 1, lines: [2], example: '7' }] });
});

test('neither hub nor archive: the hub’s address is named; a wrong file in the archive is', async () => {
  await expect(load('rte', {})).rejects.toThrow('rte/validation-00000-of-00001.parquet answers 404 (not found).');
  await expect(load('rte', { 'RTE/dev.tsv': 'a\tb\n1\t2\n' })).rejects.toThrow(
    'RTE/dev.tsv has no column "sentence1"; it has a, b.',
  );
});
