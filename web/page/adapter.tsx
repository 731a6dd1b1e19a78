import { useState } from 'preact/hooks';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import type { HostSession } from '../session/view.ts';
import { adapterFolder, baseModelNote, peftSnippet } from './export-guide.ts';
import { ScrollFrame } from './scroll-frame.tsx';
import { bytesText } from './words.ts';
import { zip } from './zip.ts';

type Files = Awaited<ReturnType<HostSession['exportAdapter']>>;

type Export =
  | { readonly kind: 'none' }
  | { readonly kind: 'making' }
  | { readonly kind: 'made'; readonly files: Files }
  | { readonly kind: 'failed'; readonly sentence: string };

/** The adapter as one archive, and how to open it elsewhere. */
export function Adapter({
  host,
  settings,
  finished,
  onSaved,
}: {
  host: HostSession;
  settings: SessionSettings;
  finished: boolean;
  onSaved: () => void;
}) {
  const [state, setState] = useState<Export>({ kind: 'none' });
  const folder = adapterFolder(settings);

  const download = async (): Promise<void> => {
    setState({ kind: 'making' });
    try {
      const files = await host.exportAdapter('last');
      save(`${folder}.zip`, zip(files.map((file) => ({ name: `${folder}/${file.name}`, bytes: file.bytes }))));
      setState({ kind: 'made', files });
      onSaved();
    } catch (error) {
      setState({ kind: 'failed', sentence: error instanceof Error ? error.message : 'The adapter could not be made.' });
    }
  };

  return (
    <section class="adapter" aria-labelledby="adapter-title">
      <h2 id="adapter-title">{finished ? 'The adapter' : 'The adapter so far'}</h2>
      <div class="buttons">
        <button class={finished ? 'primary' : ''} type="button" disabled={state.kind === 'making'} onClick={download}>
          {state.kind === 'making' ? 'Packing…' : 'Download the adapter'}
        </button>
      </div>
      <div role="status">
        {state.kind === 'failed' && <p class="field-problem">{state.sentence}</p>}
        {state.kind === 'made' && (
          <ul class="files">
            {state.files.map((file) => (
              <li key={file.name}>
                <span class="file-name">{file.name}</span> {bytesText(file.bytes.length)}
              </li>
            ))}
          </ul>
        )}
      </div>
      <p>
        One archive, <span class="file-name">{folder}.zip</span>. Unpack it and open it with Hugging Face PEFT.{' '}
        {baseModelNote(settings)}
      </p>
      <ScrollFrame kind="code-frame" label="Python that loads the adapter">
        <pre>
          <code>{peftSnippet(settings)}</code>
        </pre>
      </ScrollFrame>
    </section>
  );
}

function save(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/zip' }));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  // Safari reads the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
