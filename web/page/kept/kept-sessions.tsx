import { useRef, useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import type { KeptSession } from '../../session/view/view.ts';
import * as say from '../../words/start/kept.ts';
import { Confirmed } from '../parts/confirmed.tsx';
import { FileField } from '../parts/file-field.tsx';
import { pressable } from '../parts/pressable.ts';
import { keptSessionText } from './kept-session-words.ts';

/** As many are shown at once; older ones are folded away. */
const SHOWN = 3;

interface KeptSessionListProps {
  readonly sessions: readonly KeptSession[];
  readonly nowMs: number;
  readonly busy: boolean;
  readonly onResume: (id: string) => void;
  /** Rejects with a sentence when the browser cannot delete it. */
  readonly onForget: (id: string) => Promise<void>;
}

/** Sessions that this device kept, the latest first. Stays when the last is deleted, to say so. */
export function KeptSessionList({ sessions, nowMs, busy, onResume, onForget }: KeptSessionListProps) {
  const [said, setSaid] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  const forget = async ({ id, title }: KeptSession): Promise<void> => {
    try {
      await onForget(id);
      setSaid(say.isDeleted(title));
      // The button that had the focus is gone with its row.
      heading.current?.focus();
    } catch (error) {
      setSaid(say.couldNotBeDeletedWithTitle(title, errorSentence(error, say.theBrowserRefused)));
    }
  };
  const items = (some: readonly KeptSession[]) => (
    <ul>
      {some.map((session) => (
        <li key={session.id} class="kept-item">
          <div class="kept-words">
            <p class="kept-title">{session.title}</p>
            <p class="field-hint">{keptSessionText(session, nowMs)}</p>
          </div>
          <div class="buttons">
            <button type="button" aria-label={say.goOn(session.title)} {...pressable(busy, () => onResume(session.id))}>
              {say.goOnTitle}
            </button>
            <Confirmed
              label={say.deleteWord}
              about={session.title}
              question={say.deleteItForGood}
              yes={say.deleteWord}
              no={say.keepIt}
              onYes={() => void forget(session)}
            />
          </div>
        </li>
      ))}
    </ul>
  );
  return (
    <section class="kept-sessions" aria-labelledby="kept-title">
      <h2 id="kept-title" ref={heading} tabIndex={-1}>
        {say.goOnWithASession}
      </h2>
      {items(sessions.slice(0, SHOWN))}
      {sessions.length > SHOWN && (
        <details class="fold">
          <summary>{countText(sessions.length - SHOWN, say.olderOne, say.olderOnes)}</summary>
          {items(sessions.slice(SHOWN))}
        </details>
      )}
      <p class="field-hint" role="status">
        {said}
      </p>
    </section>
  );
}

/** Goes on with a session from a file that its host kept. */
export function CheckpointFile({ busy, onFile }: { busy: boolean; onFile: (file: File) => void }) {
  return (
    <details class="checkpoint-file">
      <summary>{say.goOnFromACheckpoint}</summary>
      <FileField
        name="checkpoint"
        label={say.aSessionsCheckpoint}
        accept=".safetensors"
        hint={say.theFileThatAHost}
        chosen=""
        onFiles={([file]) => file !== undefined && !busy && onFile(file)}
      />
    </details>
  );
}
