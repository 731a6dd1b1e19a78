import { useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { Deleted } from '../../../worker/api/host-api.ts';
import * as say from '../../words/start/kept.ts';
import { Confirmed } from '../parts/confirmed.tsx';
import { deletedText } from './kept-session-words.ts';

/** One button for a device that is not one's own, or not any more. `onDelete` rejects with a sentence when the browser refuses. */
export function DeleteAll({ onDelete }: { onDelete: () => Promise<Deleted> }) {
  const [said, setSaid] = useState('');
  const remove = async (): Promise<void> => {
    try {
      setSaid(deletedText(await onDelete()));
    } catch (error) {
      setSaid(say.notEverythingCouldBeDeleted(errorSentence(error, say.theBrowserRefused)));
    }
  };
  return (
    <div class="delete-all">
      <Confirmed
        label={say.deleteEverythingKept}
        question={say.keptSessionsAndTheirKeys}
        yes={say.deleteEverything}
        no={say.keepIt}
        onYes={() => void remove()}
      />
      <p class="field-hint" role="status">
        {said}
      </p>
    </div>
  );
}
