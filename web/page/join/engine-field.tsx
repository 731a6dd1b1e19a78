import {
  ENGINE_CHOICES,
  ENGINE_WORDS,
  type EngineChoice,
  isEngineChoice,
} from '../../../signaling/protocol/words/engines.ts';
import * as say from '../../words/join/join.ts';
import { SelectField } from '../parts/field.tsx';

/** What this device computes on, for who does not want what is quicker. */
export function EngineField({ value, onValue }: { value: EngineChoice; onValue: (engine: EngineChoice) => void }) {
  return (
    <SelectField
      name="engine"
      label={say.computesOn}
      value={value}
      hint={say.whereWebGPUIsADriver}
      onValue={(chosen) => isEngineChoice(chosen) && onValue(chosen)}
      options={ENGINE_CHOICES.map((choice) => ({ value: choice, label: ENGINE_WORDS[choice] }))}
    />
  );
}
