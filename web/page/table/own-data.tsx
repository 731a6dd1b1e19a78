import { useRef } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { NamedFile, TablePreview } from '../../../worker/api/tables.ts';
import * as say from '../../words/start/table.ts';
import { isTaskKind } from '../parts/choices.ts';
import { SelectField, TextField } from '../parts/field.tsx';
import { FileField } from '../parts/file-field.tsx';
import { ReadAs } from '../parts/read-as.tsx';
import { ScrollFrame } from '../parts/scroll-frame.tsx';
import {
  flagColumns,
  foundText,
  guessedColumns,
  guessKind,
  labelText,
  MAX_TABLE_BYTES,
  type OwnField,
  type OwnTable,
  type TableFile,
  titleOf,
} from './own-table.ts';

const ACCEPTED = '.csv,.tsv,.tab,.txt,.jsonl,.ndjson,.parquet,text/csv,text/tab-separated-values,application/jsonl';
const SHOWN_ROWS = 5;
const SHOWN_CHARACTERS = 120;

interface OwnDataProps {
  readonly table: OwnTable;
  readonly problems: Readonly<Partial<Record<OwnField, string>>>;
  readonly preview: (file: NamedFile) => Promise<TablePreview>;
  /** Given a function, because a file may be read while something else is typed. */
  readonly onChange: (change: (table: OwnTable) => OwnTable) => void;
}

/** A person's own file: what was found in it, and which column is what. What leaves this device are the token ids and labels of its rows. */
export function OwnData({ table, problems, preview, onChange }: OwnDataProps) {
  // A file that was chosen later must not be overtaken by one that takes longer to read.
  const latest = useRef({ train: 0, dev: 0 });
  const take =
    (which: 'train' | 'dev') =>
    async ([file]: readonly File[]): Promise<void> => {
      if (file === undefined) return;
      latest.current[which] += 1;
      const turn = latest.current[which];
      onChange((old) => ({ ...old, [which]: { kind: 'reading', name: file.name } }));
      const read = await readTable(file, preview);
      if (latest.current[which] !== turn) return;
      onChange((old) => ({
        ...old,
        [which]: read,
        ...(which === 'train' && read.kind === 'read'
          ? { title: titleOf(file.name), ...guessedColumns(read.preview) }
          : {}),
      }));
    };
  const { train, dev } = table;
  return (
    <div class="own">
      <FileField
        name="train"
        label={say.yourExamplesCsvTsvJson}
        accept={ACCEPTED}
        hint={say.theFirstRow}
        chosen={nameOf(train)}
        problem={train.kind === 'unreadable' ? train.sentence : problems.ownTrain}
        onFiles={take('train')}
      />
      <Found file={train} />
      {train.kind === 'read' && (
        <Columns preview={train.preview} table={table} problems={problems} onChange={onChange} />
      )}
      {train.kind === 'read' && (
        <>
          <FileField
            name="dev"
            label={say.examplesToScore}
            accept={ACCEPTED}
            hint={say.theSameColumnsWithout}
            chosen={nameOf(dev)}
            problem={dev.kind === 'unreadable' ? dev.sentence : problems.ownDev}
            onFiles={take('dev')}
          />
          <Found file={dev} />
          {dev.kind !== 'none' && (
            <div class="buttons">
              <button
                class="plain"
                type="button"
                onClick={() => onChange((old) => ({ ...old, dev: { kind: 'none' } }))}
              >
                {say.doWithoutThisFile}
              </button>
            </div>
          )}
        </>
      )}
    </div>
  );
}

function nameOf(file: TableFile): string {
  return file.kind === 'none' ? '' : file.kind === 'read' ? file.file.name : file.name;
}

async function readTable(file: File, preview: OwnDataProps['preview']): Promise<TableFile> {
  const { name, size } = file;
  if (size > MAX_TABLE_BYTES)
    return {
      kind: 'unreadable',
      name,
      sentence: say.hasATabReads(name, bytesText(size), bytesText(MAX_TABLE_BYTES)),
    };
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return { kind: 'read', file: { name, bytes }, preview: await preview({ name, bytes }) };
  } catch (error) {
    // What is no table says itself which file it is.
    const why = errorSentence(error, say.theBrowserGaveNoReason);
    const sentence = why.startsWith(name) ? why : say.couldNotBeRead(name, why);
    return { kind: 'unreadable', name, sentence };
  }
}

/** What was found in a file, told to a screen reader when it is there. */
function Found({ file }: { file: TableFile }) {
  return (
    <div role="status">
      {file.kind === 'reading' && <p class="field-hint">{say.reading(file.name)}</p>}
      {file.kind === 'read' && <p class="found">{foundText(file.preview, file.file.bytes.length)}</p>}
      {file.kind === 'read' && <ReadAs report={file.preview.report} />}
    </div>
  );
}

interface ColumnsProps extends Pick<OwnDataProps, 'table' | 'problems' | 'onChange'> {
  readonly preview: TablePreview;
}

function Columns({ preview, table, problems, onChange }: ColumnsProps) {
  const { columns } = preview;
  const names = columns.map(({ name }) => ({ value: name, label: name }));
  const choose = [{ value: '', label: say.chooseAColumn }, ...names];
  const label = columns.find(({ name }) => name === table.label);
  const flags = flagColumns(preview);
  const labels = flags === null ? names : [...names, { value: flags, label: say.columnsOf0And1(flags) }];
  const set = (change: Partial<OwnTable>): void => onChange((old) => ({ ...old, ...change }));
  return (
    <>
      <PreviewTable preview={preview} table={table} />
      <div class="pair">
        <SelectField
          name="own-text"
          label={say.text}
          value={table.text}
          options={table.text === '' ? choose : names}
          problem={problems.ownText}
          onValue={(text) => set({ text })}
        />
        <SelectField
          name="own-pair"
          label={say.secondText}
          value={table.pair}
          options={[{ value: '', label: say.none }, ...names]}
          problem={problems.ownPair}
          onValue={(pair) => set({ pair })}
        />
      </div>
      <div class="pair">
        <SelectField
          name="own-label"
          label={say.label}
          value={table.label}
          options={table.label === '' ? [choose[0]!, ...labels] : labels}
          problem={problems.ownLabel}
          onValue={(name) => {
            const column = columns.find((one) => one.name === name);
            set({ label: name, kind: column === undefined ? 'multi-label' : guessKind(column) });
          }}
        />
        <SelectField
          name="own-kind"
          label={say.theLabel}
          value={table.kind}
          options={[
            ...(table.kind === 'asked' ? [{ value: 'asked', label: say.chooseAClass }] : []),
            { value: 'classification', label: say.aClass },
            { value: 'regression', label: say.aScore },
            { value: 'multi-label', label: say.anyOfSeveralLabels },
          ]}
          problem={problems.ownKind}
          onValue={(kind) => set({ kind: kind === 'asked' || isTaskKind(kind) ? kind : 'classification' })}
        />
      </div>
      {label !== undefined && <p class="field-hint">{labelText(label, table.kind)}</p>}
      <TextField
        name="own-title"
        label={say.whatTheTaskIsAbout}
        value={table.title}
        hint={say.everyoneInTheSessionSees}
        problem={problems.ownTitle}
        onValue={(title) => set({ title })}
      />
    </>
  );
}

/** The first rows, with the role of each chosen column above its name. */
function PreviewTable({ preview, table }: { preview: TablePreview; table: OwnTable }) {
  const role = (name: string): string =>
    name === table.text ? 'text' : name === table.pair ? say.secondTextWithin : name === table.label ? 'label' : '';
  const rows = Math.min(SHOWN_ROWS, preview.columns[0]?.firstValues.length ?? 0);
  return (
    <ScrollFrame kind="table-frame" label={say.theFirstRows}>
      <table class="preview">
        <thead>
          <tr>
            {preview.columns.map(({ name }) => (
              <th key={name} scope="col" class={role(name) === '' ? 'unused' : 'used'}>
                {name} <span class="tag">{role(name)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: rows }, (_, row) => (
            <tr key={row}>
              {preview.columns.map(({ name, firstValues }) => (
                <td key={name} class={role(name) === '' ? 'unused' : ''}>
                  {(firstValues[row] ?? '').slice(0, SHOWN_CHARACTERS)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollFrame>
  );
}
