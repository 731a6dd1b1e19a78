import { useState } from 'preact/hooks';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { AdapterChoice, ExportedFile } from '../../../worker/api/host-api.ts';
import type { HostSession, SessionView } from '../../session/view/view.ts';
import * as say from '../../words/take/take.ts';
import { SelectField } from '../parts/field.tsx';
import { pressable } from '../parts/pressable.ts';
import { ScrollFrame } from '../parts/scroll-frame.tsx';
import { download } from './download.ts';
import { baseModelNote, peftSnippet } from './export-guide.ts';
import {
  adapterChoices,
  EXPORT_KINDS,
  EXPORT_WORDS,
  type ExportKind,
  expectedText,
  exportFileName,
  exportFolder,
  opensText,
  sessionName,
} from './export-kinds.ts';
import { runCsv, tensorBoardSnippet, wandbSnippet } from './run-csv.ts';
import { zip } from './zip.ts';

type Made =
  | { readonly kind: 'making' }
  | { readonly kind: 'made'; readonly files: readonly { readonly name: string; readonly bytes: number }[] }
  | { readonly kind: 'failed'; readonly sentence: string };

interface ExportsProps {
  readonly view: SessionView;
  readonly host: HostSession;
  readonly settings: SessionSettings;
  readonly finished: boolean;
  /** The adapter is on the person's disk: nothing is lost with this tab any more. */
  readonly onTaken: () => void;
}

/** Everything that can be taken out of a session, each with its size and what opens it. */
export function Exports({ view, host, settings, finished, onTaken }: ExportsProps) {
  const [which, setWhich] = useState<AdapterChoice>('best');
  const [made, setMade] = useState<Readonly<Partial<Record<ExportKind, Made>>>>({});
  const name = sessionName(settings);
  const choices = adapterChoices(view);
  const chosen = choices === null ? 'last' : which;
  const busy = Object.values(made).some((one) => one?.kind === 'making');
  const note = (kind: ExportKind, one: Made): void => setMade((old) => ({ ...old, [kind]: one }));

  const take = async (kind: ExportKind): Promise<void> => {
    note(kind, { kind: 'making' });
    try {
      const files = await make(host, kind, chosen, name);
      save(kind, name, files);
      note(kind, { kind: 'made', files: files.map((file) => ({ name: file.name, bytes: file.bytes.length })) });
      if (kind !== 'log' && kind !== 'curves') onTaken();
    } catch (error) {
      note(kind, { kind: 'failed', sentence: errorSentence(error, say.itCouldNotBeMade) });
    }
  };

  return (
    <div class="exports">
      {choices !== null && (
        <SelectField
          name="which"
          label={say.whichAdapter}
          value={chosen}
          options={choices}
          onValue={(value) => setWhich(value === 'best' ? 'best' : 'last')}
        />
      )}
      <ul>
        {EXPORT_KINDS.map((kind) => (
          <li key={kind} class="export">
            <div class="export-words">
              <p>
                <span class="export-label">{EXPORT_WORDS[kind].label}</span>{' '}
                <span class="tag">{sizeText(kind, made[kind], settings)}</span>
              </p>
              <p class="field-hint">{opensText(kind, settings)}</p>
            </div>
            <button
              type="button"
              class={finished && kind === 'adapter' ? 'primary' : ''}
              disabled={busy && made[kind]?.kind !== 'making'}
              aria-label={say.download(EXPORT_WORDS[kind].label)}
              {...pressable(made[kind]?.kind === 'making', () => void take(kind))}
            >
              {made[kind]?.kind === 'making' ? say.making : say.downloadTitle}
            </button>
            <div class="export-made" role="status">
              <Outcome made={made[kind]} />
            </div>
          </li>
        ))}
      </ul>
      <details class="fold">
        <summary>{say.howToOpenTheAdapter}</summary>
        <p>
          {say.unpack} <span class="file-name">{exportFileName('adapter', name)}</span> {say.andOpenItWithHugging}{' '}
          {baseModelNote(settings)}
        </p>
        <ScrollFrame kind="code-frame" label={say.pythonThatLoadsTheAdapter}>
          <pre>
            <code>{peftSnippet(settings)}</code>
          </pre>
        </ScrollFrame>
      </details>
      <details class="fold">
        <summary>{say.howToOpenTheCurves}</summary>
        <ScrollFrame kind="code-frame" label={say.pythonForWeightsBiases}>
          <pre>
            <code>{wandbSnippet(exportFileName('curves', name))}</code>
          </pre>
        </ScrollFrame>
        <ScrollFrame kind="code-frame" label={say.pythonForTensorBoard}>
          <pre>
            <code>{tensorBoardSnippet(exportFileName('curves', name))}</code>
          </pre>
        </ScrollFrame>
      </details>
    </div>
  );
}

function Outcome({ made }: { made: Made | undefined }) {
  if (made?.kind === 'failed') return <p class="field-problem">{made.sentence}</p>;
  if (made?.kind !== 'made') return null;
  return (
    <ul class="files">
      {made.files.map(({ name, bytes }) => (
        <li key={name}>
          <span class="file-name">{name}</span> {bytesText(bytes)}
        </li>
      ))}
    </ul>
  );
}

function sizeText(kind: ExportKind, made: Made | undefined, settings: SessionSettings): string {
  return made?.kind === 'made'
    ? bytesText(made.files.reduce((sum, { bytes }) => sum + bytes, 0))
    : expectedText(kind, settings);
}

async function make(
  host: HostSession,
  kind: ExportKind,
  which: AdapterChoice,
  name: string,
): Promise<readonly ExportedFile[]> {
  switch (kind) {
    case 'adapter':
      return host.exportAdapter(which);
    case 'merged':
      return host.exportMerged(which);
    case 'onnx':
      return host.exportOnnx(which);
    case 'checkpoint':
      return [await host.exportCheckpoint()];
    case 'log':
      return [{ name: exportFileName('log', name), bytes: new TextEncoder().encode(host.runLog()) }];
    case 'curves': {
      const { rounds, scores } = host.view;
      return [{ name: exportFileName('curves', name), bytes: new TextEncoder().encode(runCsv(rounds, scores)) }];
    }
  }
}

function save(kind: ExportKind, name: string, files: readonly ExportedFile[]): void {
  if (kind === 'checkpoint') {
    for (const file of files) download(file.name, [file.bytes], 'application/octet-stream');
    return;
  }
  const fileName = exportFileName(kind, name);
  if (kind === 'log' || kind === 'curves') {
    const parts = files.map(({ bytes }) => bytes);
    download(fileName, parts, kind === 'log' ? 'application/jsonl' : 'text/csv');
    return;
  }
  const folder = exportFolder(kind, name);
  const inFolder = files.map((file) => ({ name: `${folder}/${file.name}`, bytes: file.bytes }));
  download(fileName, zip(inFolder), 'application/zip');
}
