import type { Policy } from '../../../signaling/protocol/settings.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/watch/allocation.ts';
import type { AlternativeBar } from './alternatives.ts';

/** Every way that was compared, a bar each; a tap shows its picture. */
export function PolicyBars({
  bars,
  previewed,
  whole,
  onPreview,
}: {
  bars: readonly AlternativeBar[];
  /** Whose picture is shown instead of the plan's; null while the plan's is. */
  previewed: Policy | null;
  /** What all rounds and scores take, from the seconds of one; null where that is not to be said. */
  whole: ((seconds: number) => string) | null;
  onPreview: (policy: Policy | null) => void;
}) {
  return (
    <ul class="policy-bars" aria-label={say.waysOfSharingTheWork}>
      {bars.map(({ policy, label, seconds, reason, share, used }) => (
        <li key={policy}>
          {seconds === null ? (
            <p class="policy-bar policy-cannot">
              <span class="policy-label">{label}</span>
              <span class="policy-reason">{reason}</span>
            </p>
          ) : (
            <button
              type="button"
              class={used ? 'policy-bar policy-used' : 'policy-bar'}
              aria-pressed={used ? previewed === null || previewed === policy : previewed === policy}
              onClick={() => onPreview(used || previewed === policy ? null : policy)}
            >
              <span class="policy-label">
                {label}
                {used && <span class="tag"> {say.inUse}</span>}
              </span>
              <span class="policy-track" aria-hidden="true">
                <span class="policy-share" style={{ width: `${100 * share}%` }} />
              </span>
              <span class="policy-seconds">
                {secondsText(seconds)}
                {whole !== null && <span class="policy-whole">{whole(seconds)}</span>}
              </span>
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
