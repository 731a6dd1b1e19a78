import { useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { Deleted } from '../../../worker/api/host-api.ts';
import { Confirmed } from '../parts/confirmed.tsx';
import { deletedText } from './kept-session-words.ts';

/** One button for a device that is not one's own, or not any more. `onDelete` rejects with a sentence when the browser refuses. */
export function DeleteAll({ onDelete }: { onDelete: () => Promise<Deleted> }) {
  const [said, setSaid] = useState('');
  const remove = async (): Promise<void> => {
    try {
      setSaid(deletedText(await onDelete()));
    } catch (error) {
      setSaid(`Not everything could be deleted: ${errorSentence(error, 'the browser refused')}`);
    }
  };
  return (
    <div class="delete-all">
      <Confirmed
        label="Delete everything kept on this device"
        question="Kept sessions and their keys, models, this device’s name: delete them all for good?"
        yes="Delete everything"
        no="Keep it"
        onYes={() => void remove()}
      />
      <p class="field-hint" role="status">
        {said}
      </p>
    </div>
  );
}
