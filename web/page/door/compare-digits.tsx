import * as say from '../../words/join/door.ts';
import { Confirmed } from '../parts/confirmed.tsx';
import { spacedDigits } from './door-words.ts';

interface CompareDigitsProps {
  readonly name: string;
  readonly digits: string;
  readonly onCompared: (same: boolean) => void;
}

/** A device that came without the link shows six digits; where they are the host's, nobody sits between the two. */
export function CompareDigits({ name, digits, onCompared }: CompareDigitsProps) {
  return (
    <div class="compare">
      <p>
        {say.notProvenSomebodyCouldSit(name)} <strong class="digits">{spacedDigits(digits)}</strong>
        {say.too}
      </p>
      <div class="buttons">
        <button type="button" aria-label={say.theSame(name)} onClick={() => onCompared(true)}>
          {say.theSameTitle}
        </button>
        <Confirmed
          label={say.others}
          about={say.showsOtherDigits(name)}
          question={say.thenRemoveSomebodyMaySit(name)}
          yes={say.remove(name)}
          no={say.lookAgain}
          onYes={() => onCompared(false)}
        />
      </div>
    </div>
  );
}
