import { useRef, useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { KeptModel } from '../../../worker/api/host-api.ts';
import * as say from '../../words/start/kept.ts';
import { Confirmed } from '../parts/confirmed.tsx';

interface KeptModelListProps {
  readonly models: readonly KeptModel[];
  /** Rejects with a sentence when the browser cannot delete it. */
  readonly onDelete: (name: string) => Promise<void>;
}

/** Models whose files this device keeps, so that a person can have the space back. */
export function KeptModelList({ models, onDelete }: KeptModelListProps) {
  const [said, setSaid] = useState('');
  const summary = useRef<HTMLElement>(null);
  const total = models.reduce((sum, { bytes }) => sum + bytes, 0);
  const remove = async (name: string): Promise<void> => {
    try {
      await onDelete(name);
      setSaid(say.isDeletedTheNextSession(name));
      // The button that had the focus is gone with its row.
      summary.current?.focus();
    } catch (error) {
      setSaid(say.couldNotBeDeleted(name, errorSentence(error, say.theBrowserRefused)));
    }
  };
  return (
    <details class="kept-models">
      <summary ref={summary}>
        {say.modelsKeptOnThisDevice} <span class="summary-note">{bytesText(total)}</span>
      </summary>
      <ul>
        {models.map(({ name, bytes }) => (
          <li key={name} class="kept-item">
            <div class="kept-words">
              <p>
                {name} <span class="tag">{bytesText(bytes)}</span>
              </p>
            </div>
            <Confirmed
              label={say.deleteWord}
              about={name}
              question={say.deleteItItCan}
              yes={say.deleteWord}
              no={say.keepIt}
              onYes={() => void remove(name)}
            />
          </li>
        ))}
      </ul>
      <p class="field-hint" role="status">
        {said}
      </p>
    </details>
  );
}
