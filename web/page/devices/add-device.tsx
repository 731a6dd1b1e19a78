import { useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import * as say from '../../words/watch/devices.ts';
import { pressable } from '../parts/pressable.ts';

/** One more device without another computer: a worker of this tab. */
export function AddDevice({ onAdd }: { onAdd: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const add = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await onAdd();
    } catch (error) {
      setProblem(errorSentence(error, say.noDeviceCouldBeAdded));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="add-device">
      <button type="button" {...pressable(busy, () => void add())}>
        {say.addADevice}
      </button>
      <p class="field-hint">{say.itSharesTheProcessor}</p>
      {problem !== null && (
        <p class="field-problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
