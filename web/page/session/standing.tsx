import type { SessionView } from '../../session/view/view.ts';
import { BadRows } from '../parts/bad-rows.tsx';
import { bestText, keptSentence, leftOutText } from './standing-words.ts';

/** What has been reached so far: best score, what is kept, what of the data was left out. */
export function Standing({ view }: { view: SessionView }) {
  const { badRows } = view;
  const best = bestText(view);
  const kept = keptSentence(view);
  if (best === null && kept === null && (badRows === null || badRows.count === 0)) return null;
  return (
    <div class="standing">
      {best !== null && <p>{best}</p>}
      {kept !== null && <p>{kept}</p>}
      {badRows !== null && badRows.count > 0 && (
        <BadRows said={leftOutText(badRows.count)} count={badRows.count} rows={badRows.first} />
      )}
    </div>
  );
}
