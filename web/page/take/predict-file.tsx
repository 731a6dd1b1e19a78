import { useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { NamedFile, TablePreview } from '../../../worker/api/tables.ts';
import type { HostSession, SessionView } from '../../session/view/view.ts';
import * as say from '../../words/take/take.ts';
import { SelectField } from '../parts/field.tsx';
import { FileField } from '../parts/file-field.tsx';
import { pressable } from '../parts/pressable.ts';
import { download } from './download.ts';

const ACCEPTED = '.csv,.tsv,.txt,.jsonl,.parquet,text/csv,text/tab-separated-values';

interface Chosen {
  readonly file: NamedFile;
  readonly preview: TablePreview;
  readonly text: string;
  readonly pair: string;
}

type Doing =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'reading' | 'failed'; readonly sentence: string }
  | { readonly kind: 'predicting'; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly sentence: string };

/** A file of texts goes in, a file with an answer for every row of it comes out; both stay on this device. */
export function PredictFile({ view, host }: { view: SessionView; host: HostSession }) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [doing, setDoing] = useState<Doing>({ kind: 'nothing' });
  const pairs = view.pairs === true;
  const failed = (error: unknown): void =>
    setDoing({ kind: 'failed', sentence: errorSentence(error, say.theFileCouldNot) });

  const take = async ([file]: readonly File[]): Promise<void> => {
    if (file === undefined) return;
    setDoing({ kind: 'reading', sentence: say.reading(file.name) });
    setChosen(null);
    try {
      const named = { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
      const preview = await host.answers.previewTable(named);
      const { text, pair, label } = preview.guess;
      // Nothing here is a label.
      setChosen({ file: named, preview, text: text || label || (preview.columns[0]?.name ?? ''), pair });
      setDoing({ kind: 'nothing' });
    } catch (error) {
      failed(error);
    }
  };

  const predict = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (chosen === null || doing.kind === 'predicting') return;
    const { file, text, pair } = chosen;
    setDoing({ kind: 'predicting', done: 0, total: 1 });
    try {
      const columns = { text, pair: pairs ? pair : null };
      const pieces = await host.answers.predictFile(file, columns, (done, total) =>
        setDoing({ kind: 'predicting', done, total }),
      );
      const encoder = new TextEncoder();
      const name = `${file.name.replace(/\.[a-z0-9]+$/i, '')}-predicted.csv`;
      const parts = pieces.map((piece) => encoder.encode(piece));
      download(name, parts, 'text/csv');
      setDoing({ kind: 'done', sentence: say.hasAnAnswerForEvery(name) });
    } catch (error) {
      failed(error);
    }
  };

  const names = chosen?.preview.columns.map(({ name }) => ({ value: name, label: name })) ?? [];
  return (
    <details class="fold" data-fold="predict">
      <summary>{say.predictAFile}</summary>
      <form class="form" onSubmit={predict} aria-label={say.predictAFile}>
        <FileField
          name="predict"
          label={say.textsAsCsvTsvJson}
          accept={ACCEPTED}
          hint={say.itStaysOnThisDevice}
          chosen={chosen?.file.name ?? ''}
          problem={doing.kind === 'failed' ? doing.sentence : undefined}
          onFiles={take}
        />
        {chosen !== null && (
          <div class="pair">
            <SelectField
              name="predict-text"
              label={say.text}
              value={chosen.text}
              options={names}
              onValue={(text) => setChosen({ ...chosen, text })}
            />
            {pairs && (
              <SelectField
                name="predict-pair"
                label={say.secondText}
                value={chosen.pair}
                options={chosen.pair === '' ? [{ value: '', label: say.chooseAColumn }, ...names] : names}
                onValue={(pair) => setChosen({ ...chosen, pair })}
              />
            )}
          </div>
        )}
        <div class="buttons">
          <button type="submit" disabled={chosen === null} {...pressable(doing.kind === 'predicting')}>
            {doing.kind === 'predicting' ? say.predicting : say.predictAndDownload}
          </button>
        </div>
        {doing.kind === 'predicting' && (
          <progress value={doing.done} max={Math.max(1, doing.total)} aria-label={say.rowsPredicted} />
        )}
      </form>
      <div role="status">
        {(doing.kind === 'reading' || doing.kind === 'done') && <p class="field-hint">{doing.sentence}</p>}
      </div>
    </details>
  );
}
