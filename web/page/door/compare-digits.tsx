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
        Not proven: somebody could sit between you. Does {name} show{' '}
        <strong class="digits">{spacedDigits(digits)}</strong>, too?
      </p>
      <div class="buttons">
        <button type="button" aria-label={`The same on ${name}`} onClick={() => onCompared(true)}>
          The same
        </button>
        <Confirmed
          label="Others"
          about={`${name} shows other digits`}
          question={`Then remove ${name}: somebody may sit between you.`}
          yes={`Remove ${name}`}
          no="Look again"
          onYes={() => onCompared(false)}
        />
      </div>
    </div>
  );
}
