import type { StartForm } from '../../../web/page/start/form-fields.ts';
import { withTask } from '../../../web/page/start/recipe-fields.ts';
import { DEFAULT_FORM } from '../../../web/page/start/start-form.ts';
import { EMPTY_TABLE, guessedColumns, type OwnTable, type TableFile } from '../../../web/page/table/own-table.ts';
import { previewTable } from '../../../worker/table/columns/preview.ts';
import { readTable } from '../../../worker/table/read-table.ts';

/** Start forms as a person may have filled them in. */

const fresh: StartForm = { ...DEFAULT_FORM, name: 'Linen Shuttle' };

async function table(name: string, text: string): Promise<Extract<TableFile, { kind: 'read' }>> {
  const bytes = new TextEncoder().encode(text);
  return { kind: 'read', file: { name, bytes }, preview: previewTable(await readTable(name, bytes)) };
}

export const REVIEWS_CSV = [
  'id,review,verdict',
  '1,"A slow film, and all the better for it",good',
  '2,Two hours that felt like four,bad',
  '3,"""Unmissable"", says the poster; the poster lies",bad',
  '4,this row has lost its label',
  '5,Warm and funny and over too soon,good',
  '6,The ending alone is worth the ticket,good',
  '7,"nobody closes this quote,bad',
  '8,The plot is a rumour,mixed',
].join('\n');

const reviews = await table('film_reviews.csv', REVIEWS_CSV);
const pairs = await table(
  'answers.tsv',
  'question\tanswer\tscore\nWhy is the sky blue?\tBecause of scattering.\t4.5\nWho wove it?\tOn Tuesday.\t0.5\nWhen does it rain?\tIn autumn, mostly.\t3\n',
);

/** Numbers that may be classes or a score, a row that has none, and a byte that is no character's. */
const stars = await table(
  'stars.csv',
  [
    'text,stars',
    ...Array.from({ length: 24 }, (_, i) => `review number ${i},${(i * 7) % 12}.5`),
    'no number,',
    'last,"2',
  ].join('\n'),
);

const own = (file: Extract<TableFile, { kind: 'read' }>, change: Partial<OwnTable> = {}): StartForm => ({
  ...withTask(fresh, 'own'),
  own: { ...EMPTY_TABLE, title: 'film reviews', train: file, ...guessedColumns(file.preview), ...change },
});

const hub: StartForm = { ...withTask(fresh, 'mnli'), model: 'hub', repository: 'FacebookAI/roberta-base' };

export const START_FORMS: Readonly<Record<string, StartForm>> = {
  'start-own-empty': withTask(fresh, 'own'),
  'start-own-file': own(reviews),
  'start-own-pairs': own(pairs, {
    title: 'answers',
    pair: 'answer',
    dev: await table('dev.tsv', 'question\tscore\na\t1\nb\t2\n'),
  }),
  'start-own-asked': own(stars),
  'start-own-unreadable': own(reviews, {
    train: {
      kind: 'unreadable',
      name: 'reviews.xlsx',
      sentence:
        'reviews.xlsx is an Excel workbook (xlsx), not a table as text; save the table as CSV, TSV, JSON lines or Parquet and choose that.',
    },
  }),
  'start-glue': withTask(fresh, 'mrpc'),
  'start-glue-nowhere': { ...withTask(fresh, 'wnli'), endpoint: 'http://nowhere.example' },
  'start-hub': hub,
  'start-hub-large': { ...hub, repository: 'FacebookAI/roberta-large' },
  'start-hub-missing': { ...hub, repository: 'nobody/nothing' },
  'start-adapter': {
    ...fresh,
    startFrom: 'adapter',
    adapterFiles: [
      { name: 'adapter_config.json', bytes: new Uint8Array(812) },
      { name: 'adapter_model.safetensors', bytes: new Uint8Array(196_864) },
    ],
  },
};
