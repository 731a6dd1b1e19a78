import { useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
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
      setProblem(errorSentence(error, 'No device could be added.'));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="add-device">
      <button type="button" {...pressable(busy, () => void add())}>
        Add a device in this tab
      </button>
      <p class="field-hint">
        It shares the processor of this computer, so it makes nothing faster here: for trying things out. Predictions
        count with that.
      </p>
      {problem !== null && (
        <p class="field-problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
