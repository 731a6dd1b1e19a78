import type { StartForm } from '../../../web/page/start/form-fields.ts';
import { EMPTY_TABLE, guessColumns, type OwnTable, type TableFile } from '../../../web/page/start/own-table.ts';
import { withTask } from '../../../web/page/start/recipe-fields.ts';
import { DEFAULT_FORM } from '../../../web/page/start/start-form.ts';
import { previewTable } from '../../../worker/data/own-task.ts';

/** Start forms as a person may have filled them in. */

const fresh: StartForm = { ...DEFAULT_FORM, name: 'Linen Shuttle' };

function table(name: string, text: string): Extract<TableFile, { kind: 'read' }> {
  const bytes = new TextEncoder().encode(text);
  return { kind: 'read', file: { name, bytes }, preview: previewTable(bytes) };
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

const reviews = table('film_reviews.csv', REVIEWS_CSV);
const pairs = table(
  'answers.tsv',
  'question\tanswer\tscore\nWhy is the sky blue?\tBecause of scattering.\t4.5\nWho wove it?\tOn Tuesday.\t0.5\nWhen does it rain?\tIn autumn, mostly.\t3\n',
);

const own = (file: Extract<TableFile, { kind: 'read' }>, change: Partial<OwnTable> = {}): StartForm => ({
  ...withTask(fresh, 'own'),
  own: { ...EMPTY_TABLE, title: 'film reviews', train: file, ...guessColumns(file.preview), ...change },
});

const hub: StartForm = { ...withTask(fresh, 'mnli'), model: 'hub', repository: 'FacebookAI/roberta-base' };

export const START_FORMS: Readonly<Record<string, StartForm>> = {
  'start-own-empty': withTask(fresh, 'own'),
  'start-own-file': own(reviews),
  'start-own-pairs': own(pairs, {
    title: 'answers',
    pair: 'answer',
    dev: table('dev.tsv', 'question\tscore\na\t1\nb\t2\n'),
  }),
  'start-own-unreadable': own(reviews, {
    train: { kind: 'unreadable', name: 'photo.jpg', sentence: 'photo.jpg could not be read: it is not a table.' },
  }),
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
